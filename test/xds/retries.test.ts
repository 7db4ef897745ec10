import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wireSet } from "../support/wire-resources.ts";
import { DeltaDriver, SotwDriver } from "./driver.ts";
import { propertyRuns } from "./property-runs.ts";

/* What was refused together is sent again apart, until each culprit stands alone; nothing is refused alone twice. */

const manyNames = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `r${1_000 + i}`);

const versions = (names: readonly string[], version: string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, version]));

/** Answers everything, refusing what has a culprit in it, until nothing comes any more; gives the responses. */
function answerAll(stream: DeltaDriver | SotwDriver, type: "CDS" | "EDS" | "RDS", bad: ReadonlySet<string>) {
  const groups: (readonly string[])[] = [];
  for (;;) {
    const responses = stream.responses();
    if (responses.length === 0) return groups;
    for (const { content } of responses) {
      const names = content.resources.map(({ name }) => name);
      groups.push(names);
      if (names.some((name) => bad.has(name))) stream.nack(type);
      else stream.ack(type);
    }
  }
}

describe.each([
  ["delta", "CDS"],
  ["delta", "EDS"],
  ["delta", "RDS"],
  ["sotw", "EDS"],
  ["sotw", "RDS"],
] as const)("%s %s", (variant, type) => {
  const connected = (names: readonly string[]) => {
    const stream = variant === "delta" ? new DeltaDriver() : new SotwDriver();
    stream.set(wireSet({ [type]: versions(names, "1") }));
    stream.ask(type, names);
    stream.responses();
    stream.ack(type);
    return stream;
  };

  test("any culprits among any number: each good one is taken, each culprit is refused alone, no group comes twice", () => {
    const counts = fc
      .integer({ min: 2, max: 40 })
      .chain((count) =>
        fc.tuple(
          fc.constant(manyNames(count)),
          fc.subarray([...manyNames(count)], { minLength: 1, maxLength: Math.min(count, 6) }),
        ),
      );
    fc.assert(
      fc.property(counts, ([names, culprits]) => {
        const stream = connected(names);
        const bad = new Set(culprits);
        stream.set(wireSet({ [type]: versions(names, "2") }));
        const [first, ...groups] = answerAll(stream, type, bad);
        expect(first).toEqual(names);
        const taken = new Set(groups.filter((group) => !group.some((name) => bad.has(name))).flat());
        expect([...taken].sort()).toEqual(names.filter((name) => !bad.has(name)));
        const alone = groups.filter((group) => group.length === 1).flat();
        expect(alone.filter((name) => bad.has(name)).sort()).toEqual([...bad].sort());
        expect(new Set(groups.map(String)).size).toBe(groups.length);
        stream.set(wireSet({ [type]: versions(names, "2") }));
        expect(stream.sent()).toEqual([]);
      }),
      propertyRuns(60),
    );
  });

  test("what changes in the meantime is not sent again as it was", () => {
    const stream = connected(["a", "b", "c", "d"]);
    stream.set(wireSet({ [type]: { a: "2", b: "2", c: "2", d: "2" } }));
    expect(stream.sent()).toEqual([`${type} a=2 b=2 c=2 d=2`]);
    stream.nack(type);
    expect(stream.sent()).toEqual([`${type} a=2 b=2`]);
    stream.set(wireSet({ [type]: { a: "2", b: "2", c: "3", d: "2" } }));
    stream.ack(type);
    expect(stream.sent()).toEqual([`${type} c=3`]);
    stream.ack(type);
    expect(stream.sent()).toEqual([`${type} d=2`]);
    stream.nack(type);
    expect(stream.sent()).toEqual([]);
  });

  test("what is gone in the meantime is not sent again", () => {
    const stream = connected(["a", "b", "c", "d"]);
    const next = { a: "2", b: "2", c: "2", d: "2" };
    stream.set(wireSet({ [type]: next }));
    stream.nack(type);
    stream.responses();
    const { c: _, ...rest } = next;
    stream.event({ on: "resources", resources: wireSet({ [type]: rest }) });
    while (stream.nonce(type) !== "" && stream.state.types[type].awaited) stream.ack(type);
    for (const timer of [...stream.timers]) stream.fire(timer);
    while (stream.state.types[type].awaited) stream.ack(type);
    const sent = stream
      .responses()
      .flatMap(({ content }) => content.resources.map((one) => `${one.name}=${one.version}`));
    expect(sent.filter((text) => !text.endsWith("absent"))).toEqual(["d=2"]);
  });

  test("a group of which nothing is left is passed over", () => {
    const stream = connected(["a", "b", "c", "d", "e", "f", "g", "h"]);
    const two = versions(["a", "b", "c", "d", "e", "f", "g", "h"], "2");
    stream.set(wireSet({ [type]: two }));
    stream.nack(type);
    stream.nack(type);
    expect(stream.sent().at(-1)).toBe(`${type} a=2 b=2`);
    // Of the groups that wait, c and d are the next.
    stream.set(wireSet({ [type]: { ...two, c: "3", d: "3" } }));
    stream.ack(type);
    expect(stream.sent()).toEqual([`${type} c=3 d=3`]);
    stream.ack(type);
    expect(stream.sent()).toEqual([`${type} e=2 f=2 g=2 h=2`]);
  });

  test("a group that is not answered is not sent twice", () => {
    const stream = connected(["a", "b", "c", "d"]);
    stream.set(wireSet({ [type]: { a: "2", b: "2", c: "2", d: "2" } }));
    stream.nack(type);
    stream.fire(`ack/${type}`);
    stream.fire(`ack/${type}`);
    expect(stream.sent().slice(1)).toEqual([`${type} a=2 b=2`, `${type} c=2 d=2`]);
  });

  test("what was refused once more because it was asked for again is not sent with its group", () => {
    const stream = connected(["a", "b", "c", "d"]);
    stream.set(wireSet({ [type]: { a: "2", b: "2", c: "2", d: "2" } }));
    stream.nack(type);
    stream.responses();
    if (stream instanceof SotwDriver) {
      stream.ask(type, ["a", "b", "d"]);
      stream.ask(type, ["a", "b", "c", "d"]);
    } else stream.ask(type, ["c"]);
    stream.ack(type);
    expect(stream.sent()).toEqual([`${type} c=2`]);
    stream.nack(type);
    expect(stream.sent()).toEqual([`${type} d=2`]);
  });

  test("what was asked for again and not answered is not sent with its group", () => {
    const stream = connected(["a", "b", "c", "d"]);
    stream.set(wireSet({ [type]: { a: "2", b: "2", c: "2", d: "2" } }));
    stream.nack(type);
    stream.responses();
    if (stream instanceof SotwDriver) {
      stream.ask(type, ["a", "b", "d"]);
      stream.ask(type, ["a", "b", "c", "d"]);
    } else stream.ask(type, ["c"]);
    stream.ack(type);
    expect(stream.sent()).toEqual([`${type} c=2`]);
    stream.fire(`ack/${type}`);
    expect(stream.sent()).toEqual([`${type} d=2`]);
  });

  test("after something new there are as many tries again", () => {
    const names = manyNames(1_000);
    const stream = connected(names);
    stream.set(wireSet({ [type]: versions(names, "2") }));
    const tries = answerAll(stream, type, new Set(names)).length;
    stream.set(wireSet({ [type]: versions(names, "3") }));
    expect(answerAll(stream, type, new Set(names))).toHaveLength(tries);
  });

  test("the wait for the answer to a retry begins when its bytes have left", () => {
    const stream = connected(["a", "b"]);
    stream.set(wireSet({ [type]: { a: "2", b: "2" } }));
    stream.reading = false;
    stream.nack(type);
    expect(stream.sent()).toEqual([`${type} a=2 b=2`, `${type} a=2`]);
    expect([...stream.timers]).toEqual([]);
    stream.set(wireSet({ [type]: { a: "3", b: "3" } }));
    expect(stream.sent()).toEqual([]);
  });

  test("what is no longer asked for is not sent again", () => {
    const stream = connected(["a", "b", "c"]);
    stream.set(wireSet({ [type]: { a: "2", b: "2", c: "2" } }));
    stream.responses();
    if (stream instanceof SotwDriver) stream.nack(type, "bad", ["a", "c"]);
    else stream.nack(type, "bad", ["-b"]);
    expect(stream.sent()).toEqual([`${type} a=2`]);
    stream.ack(type);
    expect(stream.sent()).toEqual([`${type} c=2`]);
  });

  test("a client that refuses everything is not asked without end", () => {
    const names = manyNames(1_000);
    const stream = connected(names);
    stream.set(wireSet({ [type]: versions(names, "2") }));
    expect(answerAll(stream, type, new Set(names)).length).toBeLessThanOrEqual(129);
    stream.set(wireSet({ [type]: versions(names, "3") }));
    expect(answerAll(stream, type, new Set()).flat()).toEqual(names);
  });
});

test("a client that reads errors gets the rest of what was refused, though there is no error to be told of", () => {
  const stream = new SotwDriver({ traits: { resourceErrors: true } });
  stream.set(wireSet({ RDS: { a: "1", b: "1" } }));
  stream.ask("RDS", ["a", "b"]);
  stream.ack("RDS");
  stream.set(wireSet({ RDS: { a: "2", b: "2" } }));
  stream.nack("RDS");
  stream.set(wireSet({ RDS: { a: "2", b: "2", other: "1" } }));
  stream.ack("RDS");
  expect(stream.sent().slice(1)).toEqual(["RDS a=2 b=2", "RDS a=2", "RDS b=2"]);
});

test("a refused whole set is not sent in parts: absence would be removal", () => {
  const stream = new SotwDriver();
  stream.set(wireSet({ CDS: { a: "1", b: "1" } }));
  stream.ask("CDS", []);
  stream.responses();
  stream.nack("CDS");
  expect(stream.sent()).toEqual([]);
});
