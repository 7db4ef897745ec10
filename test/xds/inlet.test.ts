import { expect, test } from "vitest";
import { createMetrics } from "../../src/base/metrics.ts";
import type { Newcomer } from "../../src/xds/admission.ts";
import { createInlet } from "../../src/xds/inlet.ts";
import { createXdsMetrics } from "../../src/xds/metrics.ts";
import { createRequestRate } from "../../src/xds/request-rate.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const request = (bytes = 10): Uint8Array => new Uint8Array(bytes);

/** A stream whose admission is up to the test; two requests at once, one each 100 ms after that. */
function start() {
  const clock = createFakeClock();
  const said: string[] = [];
  const waiting = new Set<Newcomer>();
  const rate = createRequestRate({ clock, perSecond: 10, burst: 2 });
  const inlet = createInlet({
    session: {
      receive: ({ length }) => said.push(`request of ${length}`),
      refuse: (status, reason) => said.push(`${status} ${reason}`),
    },
    source: { pause: () => said.push("pause"), resume: () => said.push("resume") },
    rate,
    admission: {
      ask: (newcomer) => {
        waiting.add(newcomer);
        return () => waiting.delete(newcomer);
      },
      freed: () => {},
      close: () => {},
    },
    metrics: createXdsMetrics(createMetrics()),
    clock,
    options: { firstRequestMs: 1_000 },
  });
  return { clock, said, waiting, rate, inlet };
}

function admitted() {
  const all = start();
  all.inlet.receive(request());
  for (const newcomer of all.waiting) newcomer.letIn();
  all.said.length = 0;
  return all;
}

test("the first request waits to be let in, and nothing is read meanwhile", () => {
  const { clock, said, waiting, inlet } = start();
  clock.advance(999);
  inlet.receive(request());
  clock.advance(60_000);
  expect(said).toEqual(["pause"]);
  for (const newcomer of waiting) newcomer.letIn();
  expect(said).toEqual(["pause", "resume", "request of 10"]);
  expect(clock.pending()).toBe(0);
});

test("who is not let in hears why", () => {
  const { said, waiting, inlet } = start();
  inlet.receive(request());
  for (const newcomer of waiting) newcomer.refuse("UNAVAILABLE", "busy");
  expect(said).toEqual(["pause", "UNAVAILABLE busy"]);
});

test("a stream that says nothing is ended", () => {
  const { clock, said } = start();
  clock.advance(999);
  expect(said).toEqual([]);
  clock.advance(1);
  expect(said).toEqual(["DEADLINE_EXCEEDED the stream made no request within 1000 ms"]);
});

test("a stream that is gone waits for nothing", () => {
  const { clock, waiting, inlet } = start();
  inlet.receive(request());
  inlet.close();
  expect(waiting.size).toBe(0);
  const silent = start();
  silent.inlet.close();
  const throttled = admitted();
  for (let i = 0; i < 2; i++) throttled.inlet.receive(request());
  throttled.inlet.close();
  expect([clock, silent.clock, throttled.clock].map(({ pending }) => pending())).toEqual([0, 0, 0]);
});

test("requests beyond the rate are not read until their time has come", () => {
  const { clock, said, inlet } = admitted();
  inlet.receive(request());
  expect(said).toEqual(["request of 10"]);
  inlet.receive(request());
  clock.advance(99);
  expect(said).toEqual(["request of 10", "pause"]);
  clock.advance(1);
  expect(said).toEqual(["request of 10", "pause", "resume", "request of 10"]);
  clock.advance(1_000);
  inlet.receive(request());
  inlet.receive(request());
  expect(said).toHaveLength(6);
});

test("answers to responses cost nothing", () => {
  const { said, rate, inlet } = admitted();
  inlet.receive(request());
  for (let i = 0; i < 50; i++) {
    rate.earn();
    inlet.receive(request());
  }
  expect(said).not.toContain("pause");
  inlet.receive(request());
  expect(said.at(-1)).toBe("pause");
});

test("a large request costs more, and none more than what a quiet stream has", () => {
  const clock = createFakeClock();
  const rate = createRequestRate({ clock, perSecond: 10, burst: 20 });
  expect(rate.take(16 * 1024 * 19 - 1)).toBe(0);
  expect(rate.take(0)).toBe(0);
  expect(rate.take(0)).toBe(100);
  expect(rate.take(2 ** 30)).toBe(2_100);
});
