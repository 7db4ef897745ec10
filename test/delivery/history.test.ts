import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  acceptedBy,
  type Batch,
  droppedBy,
  type Entry,
  type History,
  noHistory,
  refusedBy,
  resumedBy,
  sentTo,
} from "../../src/delivery/history.ts";

const batch = (...names: readonly string[]): Batch => names.map((name) => ({ name, version: "1" }));
const refusal = { reason: "a is bad", atMs: 5 };

const delivered = (history: History, sent: Batch): History => acceptedBy(sentTo(history, sent).history, sent).history;
const entry = ({ entries }: History, name: string): Entry | undefined => entries.get(name);

test("streams that hold the same share one history, whatever brought them there", () => {
  const together = delivered(noHistory, batch("a", "b", "c"));
  const oneByOne = ["c", "a", "b"].reduce((history, name) => delivered(history, batch(name)), noHistory);
  expect(oneByOne).toBe(together);
  expect(resumedBy(noHistory, batch("b", "c", "a")).history).toBe(together);
  expect(delivered(together, [{ name: "d", version: "1" }])).not.toBe(together);
  expect(delivered(together, [{ name: "c", version: "2" }])).not.toBe(together);
  const gone = delivered(delivered(together, batch("d")), [{ name: "d" }]);
  expect(gone).toBe(together);
  expect(droppedBy(delivered(together, batch("d")), ["d"]).history).toBe(together);
});

test("while they wait for different answers they do not", () => {
  const [a, b] = [batch("a"), batch("b")];
  const [one, other] = [a, b].map((first) => sentTo(sentTo(noHistory, first).history, first === a ? b : a).history);
  if (one === undefined || other === undefined) throw new Error("there are two");
  expect(acceptedBy(one, a).history).not.toBe(acceptedBy(other, b).history);
  expect(acceptedBy(acceptedBy(one, a).history, b).history).toBe(acceptedBy(acceptedBy(other, b).history, a).history);
});

test("what is said again moves nothing", () => {
  const held = delivered(noHistory, batch("a"));
  const again = sentTo(held, batch("a"));
  expect(again).toEqual({ history: held, moved: [] });
  expect(acceptedBy(again.history, batch("a")).history).toBe(held);
});

test("an answer to what was sent before something newer leaves the newer unanswered", () => {
  const [older, newer] = [batch("a"), [{ name: "a", version: "2" }]];
  const both = sentTo(sentTo(noHistory, older).history, newer).history;
  expect(entry(acceptedBy(both, older).history, "a")).toEqual({
    ...{ name: "a", leaving: false },
    ...{ sent: "2", accepted: "1" },
  });
});

test("a refusal is over when what was refused is accepted, alone", () => {
  const [together, alone] = [batch("a", "b"), batch("b")];
  const refused = refusedBy(sentTo(noHistory, together).history, together, refusal, new Set(["a"])).history;
  expect(entry(refused, "b")?.refused).toMatchObject({ reason: "a is bad", suspect: false });
  expect(entry(delivered(refused, alone), "b")).toEqual({ name: "b", leaving: false, sent: "1", accepted: "1" });
});

test("in any order of events, what is not waited for is counted, and one history stands for one content", () => {
  const name = fc.constantFrom("a", "b", "c");
  const one = fc.record({ name, version: fc.option(fc.constantFrom("1", "2"), { nil: undefined }) });
  const what = fc.constantFrom("sent", "accepted", "refused", "resumed", "dropped");
  const steps = fc.array(fc.record({ what, batch: fc.array(one, { maxLength: 3 }) }), { maxLength: 25 });
  const settled = new Map<string, History>();
  fc.assert(
    fc.property(steps, (all) => {
      let history = noHistory;
      for (const { what: event, batch: items } of all) {
        const list = items.map(({ name: of, version }) => ({ name: of, ...(version !== undefined && { version }) }));
        const before = history;
        const turn = {
          sent: () => sentTo(before, list),
          accepted: () => acceptedBy(before, list),
          refused: () => refusedBy(before, list, refusal, new Set(["a"])),
          resumed: () => resumedBy(before, list),
          dropped: () =>
            droppedBy(
              before,
              list.map((item) => item.name),
            ),
        }[event]();
        ({ history } = turn);
        const entries = [...history.entries.values()];
        const isOpen = ({ sent, accepted, refused, leaving }: Entry) => sent !== accepted || refused || leaving;
        expect(history.unsettled).toBe(entries.filter(isOpen).length);
        for (const each of ["a", "b", "c"]) {
          if (!isDeepStrictEqual(entry(before, each), entry(history, each))) expect(turn.moved).toContain(each);
        }
        if (history.unsettled > 0) continue;
        const content = JSON.stringify(entries.map(({ name: of, sent }) => [of, sent]));
        expect(settled.get(content) ?? history).toBe(history);
        settled.set(content, history);
      }
    }),
  );
});
