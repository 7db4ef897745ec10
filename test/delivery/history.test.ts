import { expect, test } from "vitest";
import { acceptedBy, type Batch, type History, noHistory, refusedBy, sentTo } from "../../src/delivery/history.ts";

const batch = (...names: readonly string[]): Batch => names.map((name) => ({ name, version: "1" }));

const delivered = (history: History, sent: Batch): History => acceptedBy(sentTo(history, sent).history, sent).history;

test("what is accepted as it was sent is one entry, whatever a stream was sent before", () => {
  const [together, alone, other] = [batch("a", "b"), batch("a"), batch("c")];
  const [one, two] = [delivered(delivered(noHistory, together), other), delivered(delivered(noHistory, alone), other)];
  expect(one.get("c")).toBe(two.get("c"));
  expect(one.get("a")).not.toBe(two.get("a"));
  expect(delivered(two, together).get("a")).toBe(one.get("a"));
});

test("an answer to what was sent before something newer leaves the newer unanswered", () => {
  const [older, newer] = [batch("a"), [{ name: "a", version: "2" }]];
  const both = sentTo(sentTo(noHistory, older).history, newer).history;
  expect(acceptedBy(both, older).history.get("a")).toEqual({
    ...{ name: "a", leaving: false },
    sent: { version: "2", batch: newer },
    accepted: { version: "1", batch: older },
  });
});

test("a refusal is over when what was refused is accepted, alone", () => {
  const [together, alone] = [batch("a", "b"), batch("b")];
  const refused = refusedBy(sentTo(noHistory, together).history, together, "a is bad", new Set(["a"])).history;
  expect(refused.get("b")?.refused).toMatchObject({ reason: "a is bad", suspect: false });
  expect(delivered(refused, alone).get("b")).toEqual({
    ...{ name: "b", leaving: false },
    ...{ sent: { version: "1", batch: alone }, accepted: { version: "1", batch: alone } },
  });
});
