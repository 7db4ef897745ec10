import { describe, expect, test } from "vitest";
import { createApp } from "../../src/api/http.ts";
import type { ApiLimits } from "../../src/api/limits.ts";
import { mediaTypeOf, negotiate } from "../../src/api/media-types.ts";
import type { RegistrationOutcome } from "../../src/api/ports.ts";
import { traceIdOf } from "../../src/api/trace-context.ts";
import type { RegisteredInstanceView } from "../../src/api/types/services.ts";
import { as, clock, ports, registrations, silent, version } from "./fixture.ts";

const instance: RegisteredInstanceView = {
  id: "a",
  address: "10.0.0.1",
  ports: {},
  labels: {},
  locality: "",
  weight: 1,
  health: "healthy",
  registeredAt: "2026-11-22T08:00:00.000Z",
  registeredBy: "edith",
  generation: 1,
};

const url = "/api/v1/services/reviews.shop.svc.cluster.local/instances/a";

type Outcome = RegistrationOutcome<RegisteredInstanceView>;

async function put(outcome: Outcome, part: object = {}) {
  const given: unknown[] = [];
  const putInstance = async (...args: readonly unknown[]) => {
    given.push(...args);
    return outcome;
  };
  const app = createApp({
    ports: ports({ registrations: { ...registrations, putInstance } }),
    log: silent,
    clock,
    version,
  });
  const headers = { host: "localhost", "content-type": "application/json", ...as("editor") };
  const answer = await app.inject({ method: "PUT", url, headers, payload: '{"address":"10.0.0.1"}', ...part });
  return { answer, given };
}

describe("an instance that registers itself", () => {
  const problem = { severity: "error", code: "missing-field", pointer: "/address", message: "It is missing." } as const;
  test.each<[Outcome, number, object]>([
    [{ kind: "done", created: true, value: instance }, 201, instance],
    [{ kind: "done", created: false, value: instance }, 200, instance],
    [{ kind: "invalid", problems: [problem] }, 422, { code: "api/invalid", errors: [problem] }],
    [{ kind: "not-found", what: "service" }, 404, { code: "api/not-found" }],
    [{ kind: "conflict", message: "No.", hint: "Wait." }, 409, { detail: "No.", hint: "Wait." }],
    [{ kind: "stale", generation: 4 }, 409, { detail: "The instance is at generation 4 already." }],
  ])("%j", async (outcome, status, body) => {
    const { answer, given } = await put(outcome);
    expect([answer.statusCode, answer.json()]).toEqual([status, expect.objectContaining(body)]);
    expect(given).toEqual(["reviews.shop.svc.cluster.local", "a", { address: "10.0.0.1" }, "edith"]);
  });

  test("a body that is no JSON changes nothing", async () => {
    const { answer, given } = await put({ kind: "done", created: true, value: instance }, { payload: "{" });
    expect([answer.statusCode, given]).toEqual([400, []]);
  });
});

describe("what is taken away", () => {
  const gone = (value: RegisteredInstanceView | undefined) => async () =>
    ({ kind: "done", created: false, value }) as const;
  test.each([
    ["is given back", instance, 200, JSON.stringify(instance)],
    ["is done where it cannot be read", undefined, 204, ""],
  ])("%s", async (_what, value, status, text) => {
    const app = createApp({
      ports: ports({ registrations: { ...registrations, deleteInstance: gone(value) } }),
      log: silent,
      clock,
      version,
    });
    const answer = await app.inject({ method: "DELETE", url, headers: { host: "localhost", ...as("editor") } });
    expect([answer.statusCode, answer.body]).toEqual([status, text]);
  });
});

describe("heartbeats", () => {
  const beats = { kind: "done", created: false, value: [{ id: "a", state: "live" }] } as const;

  function api(limits: Partial<ApiLimits> = {}) {
    const app = createApp({
      ports: ports({
        registrations: {
          ...registrations,
          isRegistered: (_host, id) => id !== "gone",
          heartbeat: (_host, id) =>
            id === "gone"
              ? { kind: "not-found", what: "instance" }
              : { kind: "done", created: false, value: { ...instance, id } },
          heartbeats: (_host, given) => (given === undefined ? { kind: "invalid", problems: [] } : beats),
        },
      }),
      ...{ log: silent, clock, version, limits },
    });
    const post = async (path: string, payload?: string) => {
      const headers = { host: "localhost", "content-type": "application/json", ...as("editor") };
      const answer = await app.inject({
        method: "POST",
        url: `/api/v1/services/reviews${path}`,
        headers: payload === undefined ? { host: headers.host, ...as("editor") } : headers,
        ...(payload !== undefined && { payload }),
      });
      return answer;
    };
    return { post, beat: async (id: string) => (await post(`/instances/${id}/heartbeat`)).statusCode };
  }

  test("of many instances together", async () => {
    const answer = await api().post("/heartbeats", '{"instances":[{"id":"a"}]}');
    expect([answer.statusCode, answer.json()]).toEqual([200, { items: [{ id: "a", state: "live" }] }]);
  });

  test("count for their instance alone, so that one token does for a fleet", async () => {
    const { beat, post } = api({ requestsPerSecond: 1, requestBurst: 1, heartbeatsPerSecond: 1, heartbeatBurst: 2 });
    for (let i = 0; i < 100; i++) expect(await beat(`i${i}`)).toBe(200);
    expect([await beat("i0"), await beat("i0"), await beat("i1")]).toEqual([200, 429, 200]);
    expect((await post("/heartbeats", '{"instances":[]}')).statusCode).toBe(200);
    expect((await post("/heartbeats", '{"instances":[]}')).statusCode).toBe(429);
  });

  test("of what is not registered count among the token's requests", async () => {
    const { beat } = api({ requestsPerSecond: 1, requestBurst: 2 });
    expect([await beat("gone"), await beat("gone"), await beat("gone")]).toEqual([404, 404, 429]);
    expect(await beat("a")).toBe(200);
  });
});

test.each([
  [undefined, "application/json"],
  ["*/*", "application/json"],
  ["application/yaml", "application/yaml"],
  ["text/yaml", "application/yaml"],
  ["application/json;q=0.1, application/*;q=0.5", "application/yaml"],
  ["text/html, */*;q=0.1", "application/json"],
  ["application/json;q=0, */*", "application/yaml"],
  ["text/html", undefined],
])("Accept: %s", (accept, type) => {
  expect(negotiate(accept, ["application/json", "application/yaml"])).toBe(type);
});

test.each([
  ["Application/JSON; charset=UTF-8", "application/json"],
  ["text/x-yaml", "application/yaml"],
  ["application/json; charset=latin1", undefined],
])("Content-Type: %s", (header, type) => {
  expect(mediaTypeOf(header)).toBe(type);
});

const id = "4bf92f3577b34da6a3ce929d0e0e4736";

test.each([
  [`00-${id}-00f067aa0ba902b7-01`, id],
  [`01-${id}-00f067aa0ba902b7-01-more`, id],
  [`00-${id}-00f067aa0ba902b7-01-more`, undefined],
  [`ff-${id}-00f067aa0ba902b7-01`, undefined],
  [`00-${"0".repeat(32)}-00f067aa0ba902b7-01`, undefined],
  [`00-${id.toUpperCase()}-00f067aa0ba902b7-01`, undefined],
  [undefined, undefined],
])("traceparent: %s", (header, traceId) => {
  expect(traceIdOf(header)).toBe(traceId);
});
