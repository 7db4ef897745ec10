import { describe, expect, test } from "vitest";
import { createMetrics } from "../../src/base/metrics.ts";
import { admissionOf, createAdmission } from "../../src/xds/admission.ts";
import { createXdsMetrics } from "../../src/xds/metrics.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const options = { maxBytesInFlight: 100, admissionsPerTurn: 2, maxWaitingStreams: 3, admissionTimeoutMs: 1_000 };

test.each([
  [{ waiting: 0, letInThisTurn: 0, bytesInFlight: 0 }, "enter"],
  [{ waiting: 0, letInThisTurn: 1, bytesInFlight: 99 }, "enter"],
  [{ waiting: 0, letInThisTurn: 2, bytesInFlight: 0 }, "wait"],
  [{ waiting: 0, letInThisTurn: 0, bytesInFlight: 100 }, "wait"],
  [{ waiting: 1, letInThisTurn: 0, bytesInFlight: 0 }, "wait"],
  [{ waiting: 2, letInThisTurn: 2, bytesInFlight: 200 }, "wait"],
  [{ waiting: 3, letInThisTurn: 0, bytesInFlight: 0 }, "refuse"],
])("%o: %s", (load, verdict) => {
  expect(admissionOf(load, options)).toBe(verdict);
});

function start() {
  const clock = createFakeClock();
  const registry = createMetrics();
  const load = { bytes: 0 };
  const said: string[] = [];
  const admission = createAdmission({
    clock,
    metrics: createXdsMetrics(registry),
    options,
    bytesInFlight: () => load.bytes,
  });
  /** A newcomer who is let in gives `bytes`. */
  const ask = (name: string, bytes = 0): (() => void) =>
    admission.ask({
      letIn: () => {
        said.push(name);
        load.bytes += bytes;
      },
      refuse: (status, reason) => said.push(`${name} ${status} ${reason}`),
    });
  const waiting = async (): Promise<string | undefined> =>
    /^fairway_xds_waiting_streams (\d+)$/m.exec((await registry.expose()).text)?.[1];
  return { clock, load, said, admission, ask, waiting };
}

describe("a storm", () => {
  test("is let in a few at a time, in its order", async () => {
    const { clock, said, ask, waiting } = start();
    for (const name of ["a", "b", "c", "d", "e"]) ask(name);
    expect(said).toEqual(["a", "b"]);
    expect(await waiting()).toBe("3");
    clock.advance(0);
    expect(said).toEqual(["a", "b", "c", "d", "e"]);
    expect(await waiting()).toBe("0");
    expect(clock.pending()).toBe(0);
  });

  test("waits until bytes have left", () => {
    const { clock, load, said, admission, ask } = start();
    ask("a", 150);
    clock.advance(0);
    ask("b", 60);
    ask("c", 60);
    ask("d");
    clock.advance(10);
    expect(said).toEqual(["a"]);
    load.bytes -= 20;
    admission.freed();
    clock.advance(10);
    expect(said).toEqual(["a"]);
    load.bytes -= 130;
    admission.freed();
    clock.advance(10);
    expect(said).toEqual(["a", "b", "c"]);
    load.bytes -= 21;
    admission.freed();
    clock.advance(10);
    expect(said).toEqual(["a", "b", "c", "d"]);
    expect(clock.pending()).toBe(0);
  });

  test("beyond the queue it is refused at once, and who waits for too long later", () => {
    const { clock, load, said, ask } = start();
    load.bytes = 100;
    for (const name of ["a", "b", "c", "d"]) ask(name);
    expect(said).toEqual(["d RESOURCE_EXHAUSTED 3 new streams wait already; try again later"]);
    clock.advance(999);
    expect(said).toHaveLength(1);
    clock.advance(1);
    expect(said.slice(1).sort()).toEqual(
      ["a", "b", "c"].map((name) => `${name} UNAVAILABLE the control plane was too busy for 1000 ms; try again`),
    );
    expect(clock.pending()).toBe(0);
  });

  test("who goes away leaves the queue to the others", () => {
    const { clock, load, said, admission, ask } = start();
    load.bytes = 100;
    const leave = ask("a");
    ask("b");
    leave();
    leave();
    load.bytes = 0;
    admission.freed();
    clock.advance(0);
    expect(said).toEqual(["b"]);
    expect(clock.pending()).toBe(0);
  });

  test("ends with the server", () => {
    const { clock, load, said, admission, ask } = start();
    ask("a");
    load.bytes = 100;
    ask("b");
    admission.close();
    clock.advance(5_000);
    expect(said).toEqual(["a"]);
    expect(clock.pending()).toBe(0);
  });
});
