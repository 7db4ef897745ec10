import { describe, expect, test } from "vitest";
import { type FailureKind, KubeFailure } from "../../src/kube/failure.ts";
import { firstPlan, nextPlan, type Outcome, type Plan, type Step } from "../../src/kube/plan.ts";
import { defaultReflectorTimes as times } from "../../src/kube/times.ts";

const stream: Step = { kind: "stream" };
const list = (resourceVersion: string): Step => ({ kind: "list", resourceVersion });
const watch = (resourceVersion: string): Step => ({ kind: "watch", resourceVersion });

const outcome = (given: Partial<Outcome> = {}): Outcome => ({
  ...{ version: undefined, opened: true, progressed: false, lastedMs: 10_000 },
  ...given,
});
const fails = (kind: FailureKind, given: Partial<Outcome> & { readonly retryAfterMs?: number } = {}): Outcome => {
  const { retryAfterMs, ...rest } = given;
  return outcome({ ...rest, failure: new KubeFailure(kind, "", retryAfterMs === undefined ? {} : { retryAfterMs }) });
};

const plan = (given: Partial<Plan>): Plan => ({ ...firstPlan, ...given });
const next = (from: Plan, what: Outcome, nowMs = 0, random = 0): Plan => nextPlan(from, what, { nowMs, random, times });

describe("what follows", () => {
  const known = { version: "7" };
  test.each<[string, Plan, Outcome, Step]>([
    ["a streamed list that goes on as a watch and ends", plan({}), outcome(known), watch("7")],
    ["a list", plan({ step: list("0") }), outcome(known), watch("7")],
    ["a watch that ended in order", plan({ step: watch("5") }), outcome(known), watch("7")],
    ["a watch that broke off", plan({ step: watch("5") }), fails("cut", known), watch("7")],
    ["a watch that was silent", plan({ step: watch("5") }), fails("silent", known), watch("7")],
    [
      "a second one that heard nothing at all",
      plan({ step: watch("7"), reason: "silent" }),
      fails("silent", known),
      stream,
    ],
    [
      "a second one that heard something",
      plan({ step: watch("5"), reason: "silent" }),
      fails("silent", { ...known, progressed: true }),
      watch("7"),
    ],
    ["a server's error in a watch", plan({ step: watch("5") }), fails("failed", known), watch("7")],
    ["a watch that is not allowed any more", plan({ step: watch("5") }), fails("forbidden", known), watch("7")],
    ["a version that is too old", plan({ step: watch("5"), ...known }), fails("gone"), stream],
    ["the same of a server that streams no lists", plan({ step: watch("5"), streams: false }), fails("gone"), list("")],
    ["a version from before a restored backup", plan({ step: watch("5") }), fails("too-new", known), stream],
    ["a kind that the server forgot", plan({ step: watch("5") }), fails("absent", known), stream],
    ["words in a watch that nobody understands", plan({ step: watch("5") }), fails("broken", known), stream],
    ["a server that knows no streamed lists", plan({}), fails("invalid", { opened: false }), list("0")],
    ["a streamed list without an end", plan({}), fails("silent"), list("0")],
    ["a streamed list that broke off", plan({}), fails("cut"), list("0")],
    ["a streamed list that ended before it was complete", plan({}), outcome(), list("0")],
    ["a streamed list that broke off, later", plan(known), fails("cut"), list("7")],
    ["nobody there", plan({}), fails("unreachable", { opened: false }), stream],
    ["too many requests", plan({}), fails("throttled", { opened: false }), stream],
    ["a list that failed", plan({ step: list("7") }), fails("failed"), list("7")],
    ["a list from before a restored backup", plan({ step: list("7"), ...known }), fails("too-new"), list("")],
  ])("%s", (_, from, what, step) => {
    expect(next(from, what).step).toEqual(step);
  });

  test("a server that refused to stream a list is not asked for one again", () => {
    const refused = next(plan({}), fails("invalid", { opened: false }));
    expect(refused).toMatchObject({ streams: false, waitMs: 0 });
    const watching = next(next(refused, outcome({ version: "7" })), fails("gone"));
    expect(watching.step).toEqual(list(""));
  });

  test("what is known is never gone back before: version 0 is asked for only at the start", () => {
    let current = plan({ step: watch("7"), version: "7" });
    for (const kind of ["gone", "cut", "too-new", "failed", "absent"] as const) {
      current = next(current, fails(kind));
      expect(current.step).not.toEqual(list("0"));
    }
  });
});

describe("pauses", () => {
  /** The pauses between this many equal outcomes that follow each other at once. */
  const pauses = (from: Plan, what: Outcome, count: number, random = 0): readonly number[] => {
    let current = from;
    let nowMs = 0;
    return Array.from({ length: count }, () => {
      current = { ...next(current, what, nowMs, random), step: from.step };
      nowMs += current.waitMs;
      return current.waitMs;
    });
  };
  const watching = plan({ step: watch("7"), version: "7" });

  test.each<[string, Outcome, readonly number[]]>([
    ["double up to 30 s", fails("unreachable"), [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]],
    ["are for watches that end at once and say nothing, too", outcome({ version: "7", lastedMs: 999 }), [800, 1_600]],
    ["none for those that last", outcome({ version: "7", lastedMs: 1_000 }), [0, 0, 0]],
    ["none for those that said something", outcome({ version: "8", lastedMs: 1, progressed: true }), [0, 0, 0]],
    ["none before the first new list, but before the next", fails("gone"), [0, 1_600, 3_200]],
    ["none after the first silence", fails("silent", { version: "7" }), [0, 1_600]],
    ["are as long as the server asks", fails("throttled", { retryAfterMs: 5_000 }), [5_000, 5_000]],
    [
      "begin short while the kind may not be read: a server that starts allows nothing yet",
      fails("forbidden"),
      [800, 1_600],
    ],
    ["are longer while the server does not know the kind", fails("absent"), [60_000, 60_000]],
  ])("%s", (_, what, wanted) => {
    expect(pauses(watching, what, wanted.length)).toEqual(wanted);
  });

  test("none before the new list that an outage makes necessary, however long it was", () => {
    const outage = [1, 2, 3, 4].reduce((current) => next(current, fails("unreachable", { opened: false })), watching);
    const gone = next(outage, fails("gone"));
    expect([outage.waitMs, gone.waitMs]).toEqual([6_400, 0]);
    const listed = next(gone, outcome({ version: "9" }));
    expect(next(listed, fails("gone")).waitMs).toBeGreaterThan(10_000);
  });

  test("by chance they are up to twice as long", () => {
    expect(pauses(watching, fails("unreachable"), 2, 0.5)).toEqual([1_200, 2_400]);
    expect(pauses(watching, fails("throttled", { retryAfterMs: 5_000 }), 1, 0.5)).toEqual([5_400]);
  });

  test("begin anew after two minutes without a failure", () => {
    const failed = [1, 2, 3].reduce((current) => next(current, fails("cut", { version: "7" })), watching);
    expect(failed.waitMs).toBe(3_200);
    expect(next(failed, fails("cut"), failed.failedAtMs + 119_999).waitMs).toBe(6_400);
    expect(next(failed, fails("cut"), failed.failedAtMs + 120_000).waitMs).toBe(800);
  });

  test("however often it fails, they stay numbers", () => {
    expect(next(plan({ step: watch("7"), failures: 1e9, failedAtMs: 0 }), fails("cut")).waitMs).toBe(30_000);
  });
});
