import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../src/gen/grpc/health/v1/health_pb.ts";
import { createHealth } from "../../src/xds/services/health.ts";
import { createSideMetrics } from "../../src/xds/services/side-metrics.ts";
import { connectSide, serveSide } from "../support/side-client.ts";
import { waitFor } from "../support/wait-for.ts";

const ads = "envoy.service.discovery.v3.AggregatedDiscoveryService";
const schemas = { request: HealthCheckRequestSchema, answer: HealthCheckResponseSchema };

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function start(isReady = true) {
  const metrics = createMetrics();
  const ready = createSignal(isReady);
  const log = createLog({ level: "silent", format: "json", write: () => {} });
  const health = createHealth({
    ...{ clock: systemClock, log, ready, services: [ads] },
    metrics: createSideMetrics(metrics),
  });
  const { port, close } = await serveSide([health]);
  const client = connectSide(port);
  cleanups.push(close, client.close);
  const check = (service: string) => {
    const call = client.open("/grpc.health.v1.Health/Check", schemas);
    call.send({ service });
    call.halfClose();
    return call;
  };
  const watch = (service: string) => {
    const call = client.open("/grpc.health.v1.Health/Watch", schemas);
    call.send({ service });
    call.halfClose();
    return call;
  };
  const openCalls = async (): Promise<number> =>
    Number(/^fairway_side_calls\{service="health"\} (\d+)$/m.exec((await metrics.expose()).text)?.[1] ?? "0");
  return { health, ready, client, check, watch, openCalls };
}

describe("Check", () => {
  test.each(["", ads])("%j: NOT_SERVING until the first world is complete", async (service) => {
    const { ready, check } = await start(false);
    expect((await check(service).next()).status).toBe(Serving.NOT_SERVING);
    ready.set(true);
    const call = check(service);
    expect((await call.next()).status).toBe(Serving.SERVING);
    expect((await call.status()).code).toBe(status.OK);
  });

  test("a service that is not here", async () => {
    const { check } = await start();
    expect(await check("envoy.service.tap.v3.TapSinkService").status()).toMatchObject({
      code: status.NOT_FOUND,
      details: "no service envoy.service.tap.v3.TapSinkService is served here",
    });
  });

  test("a drain has begun", async () => {
    const { health, check } = await start();
    health.end?.();
    expect((await check("").next()).status).toBe(Serving.NOT_SERVING);
  });

  test("without a request, and with something else", async () => {
    const { client } = await start();
    const silent = client.open("/grpc.health.v1.Health/Check", schemas);
    silent.halfClose();
    expect(await silent.status()).toMatchObject({ code: status.INVALID_ARGUMENT, details: "there is no request" });
    const broken = client.open("/grpc.health.v1.Health/Check", schemas);
    broken.sendBytes(Uint8Array.of(0x0a, 0xff));
    expect(await broken.status()).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: "the request is no HealthCheckRequest",
    });
    const large = client.open("/grpc.health.v1.Health/Check", schemas);
    large.send({ service: "x".repeat(5_000) });
    expect((await large.status()).code).toBe(status.RESOURCE_EXHAUSTED);
  });
});

describe("Watch", () => {
  test("each change, once; the end of the control plane last of all", async () => {
    const { health, ready, watch } = await start(false);
    const call = watch("");
    expect((await call.next()).status).toBe(Serving.NOT_SERVING);
    ready.set(true);
    expect((await call.next()).status).toBe(Serving.SERVING);
    health.end?.();
    expect((await call.next()).status).toBe(Serving.NOT_SERVING);
    expect((await call.status()).code).toBe(status.OK);
    expect(call.received).toHaveLength(3);
    expect((await watch("").status()).code).toBe(status.UNAVAILABLE);
  });

  test("a service that is not here is said to be unknown, and the call stays", async () => {
    const { ready, watch } = await start();
    const call = watch("nothing");
    expect((await call.next()).status).toBe(Serving.SERVICE_UNKNOWN);
    ready.set(false);
    const other = watch("");
    expect((await other.next()).status).toBe(Serving.NOT_SERVING);
    expect(call.received).toHaveLength(1);
  });

  test("a client that leaves, in either way, leaves nothing behind", async () => {
    const { client, ready, watch, openCalls } = await start();
    const calls = [watch(""), watch("")];
    for (const call of calls) await call.next();
    expect(await openCalls()).toBe(2);
    calls[0]?.cancel();
    await waitFor(async () => (await openCalls()) === 1);
    client.close();
    calls[1]?.cancel();
    await waitFor(async () => (await openCalls()) === 0);
    ready.set(false);
  });
});
