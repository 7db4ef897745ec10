import { expect, test } from "vitest";
import { markerAddress } from "../fixture/edits.ts";
import { watchChurn } from "./churn.ts";
import { watchGoal } from "./goals.ts";
import { resourcesIn } from "./skim.ts";
import { stalenessOf } from "./staleness.ts";

test("a stream is done when it has all of each type", async () => {
  const need = { responses: 1, resources: 2, removed: 0 };
  const watch = watchGoal({ a: { CDS: need, EDS: { ...need, removed: 1 } } }, ["a", "b", "a"]);
  expect(watch.pending()).toBe(2);
  watch.count(0, "a", "CDS", { responses: 1, resources: 1, removed: 0 }, 10);
  watch.count(0, "a", "EDS", { responses: 1, resources: 2, removed: 1 }, 11);
  watch.count(1, "b", "CDS", { responses: 1, resources: 9, removed: 9 }, 12);
  expect(watch.pending()).toBe(2);
  watch.count(0, "a", "CDS", { responses: 1, resources: 1, removed: 0 }, 13);
  watch.count(2, "a", "CDS", { responses: 1, resources: 2, removed: 0 }, 14);
  watch.restart(2);
  watch.count(2, "a", "EDS", { responses: 1, resources: 2, removed: 1 }, 15);
  expect(watch.pending()).toBe(1);
  watch.count(2, "a", "CDS", { responses: 1, resources: 2, removed: 0 }, 16);
  await watch.reached;
  expect(watch.times()).toEqual([13, 16]);
});

test("a later event of a service stands for the earlier ones", () => {
  // Events 300 and 302 are of one service, 301 and 303 of another.
  const churn = watchChurn(2, 300, [-1, -1, 0, 1]);
  const message = Buffer.from(`..${markerAddress(302)}\x18P..${markerAddress(301)}"..10.255.`);
  churn.scan(0, message, 50);
  churn.scan(0, Buffer.from(markerAddress(300)), 70);
  expect([0, 1, 2, 3].map((event) => churn.arrivedAt(0, event))).toEqual([50, 50, 50, undefined]);
  churn.scan(0, Buffer.from(markerAddress(303)), 80);
  churn.blind(1);
  expect([churn.isComplete(0), churn.isComplete(1)]).toEqual([true, false]);
  expect(stalenessOf(churn, 2, [10, 20, 30, 40], new Set())).toMatchObject({ max: 40, missing: 0, watched: 1 });
});

test("resources of both forms have names", () => {
  const any = Buffer.from("1205" + "0a03" + "616263", "hex");
  expect(resourcesIn(Buffer.concat([Buffer.from("1207", "hex"), any]), "sotw").resources).toEqual([
    { name: "abc", version: "", body: Buffer.from("0a03616263", "hex") },
  ]);
  const wrapped = Buffer.concat([Buffer.from("0a0131" + "1207", "hex"), any, Buffer.from("1a03616263", "hex")]);
  const delta = Buffer.concat([Buffer.of(0x12, wrapped.length), wrapped, Buffer.from("320178", "hex")]);
  expect(resourcesIn(delta, "delta")).toEqual({
    resources: [{ name: "abc", version: "1", body: Buffer.from("0a03616263", "hex") }],
    removed: ["x"],
  });
});
