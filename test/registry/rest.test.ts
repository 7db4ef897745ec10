import { describe, expect, test } from "vitest";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { OrderedMap } from "../../src/base/ordered-map.ts";
import type { Result } from "../../src/registry/rest/registrations.ts";
import { createRestLab, host, ports, rowCount } from "./rest-lab.ts";

const body = { address: "10.0.0.1", labels: { app: "reviews" }, locality: "r1/z1" };

const problemsOf = (result: Result<unknown>): readonly string[] =>
  result.kind === "invalid"
    ? result.problems.map(({ pointer, message }) => `${pointer} ${message}`)
    : expect.fail(JSON.stringify(result));

test("a service and an instance, as they are given back and as the catalog has them", async () => {
  const { api, registry, clock } = await createRestLab();
  const given = { ...body, ports: { http: 8080 }, weight: 3, ttl: "10s", generation: 7 };
  const result = await api.putInstance(host, "a", given, "ci");
  const now = clock.now();
  const view = {
    id: "a",
    address: "10.0.0.1",
    ports: { http: 8080 },
    labels: { app: "reviews" },
    locality: { region: "r1", zone: "z1", subzone: "" },
    weight: 3,
    health: "healthy",
    generation: 7,
    registered: { at: now, by: "ci" },
    lease: { ttlMs: 10_000, expiresAt: now + 10_000, removedAt: now + 30_000, state: "live" },
  };
  expect(result).toEqual({ kind: "done", created: true, value: view });
  expect(api.instances(host)).toEqual([view]);
  expect(api.instance(host, "a")).toEqual(view);
  const service = {
    host,
    namespace: "shop",
    addresses: [],
    headless: false,
    ports: [{ name: "http", number: 9080, protocol: "http" }],
    external: false,
    registered: { at: now, by: "ci" },
    instances: 1,
  };
  expect(api.services()).toEqual([service]);
  expect(api.service(host.toUpperCase())).toEqual(service);
  const key = `shop/${host}`;
  expect(registry.catalog.value).toEqual({
    services: OrderedMap.of([
      [
        key,
        {
          key,
          hostname: host,
          namespace: "shop",
          addresses: [],
          ports: service.ports,
          resolution: "instances",
          external: false,
          createdAt: now,
          origin: { kind: "registry", registry: "rest" },
        },
      ],
    ]),
    instances: OrderedMap.of([
      [
        key,
        [
          {
            id: "a",
            address: "10.0.0.1",
            ports: { http: 8080 },
            labels: { app: "reviews" },
            locality: view.locality,
            weight: 3,
            health: "healthy",
            registry: "rest",
          },
        ],
      ],
    ]),
  });
  expect(registry.health.value).toMatchObject({ state: "LIVE", problems: [] });
});

test("the least that can be said", async () => {
  const { api } = await createRestLab();
  expect(await api.putService("api.example.com", { ports: [{ name: "web", number: 80 }] }, "ci")).toMatchObject({
    created: true,
    value: { namespace: "default", external: false, ports: [{ protocol: "auto" }] },
  });
  const result = await api.putInstance("api.example.com", "x", { address: "10.0.0.1" }, "ci");
  expect(result).toMatchObject({ value: { weight: 1, health: "healthy", labels: {}, ports: {} } });
  expect(result.kind === "done" && "lease" in result.value).toBe(false);
});

test.each<[string, string, unknown, string[]]>([
  ["no body", host, undefined, [" Expected an object, found undefined."]],
  ["no ports", host, {}, ["/ports The field ports is missing."]],
  ["an empty list of ports", host, { ports: [] }, ["/ports Expected at least 1 item, found 0."]],
  [
    "a port twice",
    host,
    { ports: [...ports, ...ports] },
    [
      '/ports/1/name The port name "http" is already that of item 0.',
      "/ports/1/number The port number 9080 is already that of item 0.",
    ],
  ],
  ["a wildcard", "*.shop", { ports }, [' Expected a host name, found "*.shop".']],
  [
    "a bad namespace",
    host,
    { ports, namespace: "Shop" },
    ['/namespace Expected a name of lower-case letters, digits and -, found "Shop".'],
  ],
  ["a field that is none", host, { ports, host }, ['/host There is no field "host".']],
  [
    "an address that is none",
    host,
    { ports, addresses: ["10.0.0.256"] },
    ['/addresses/0 Expected an IP address, or a network such as 10.1.0.0/16, found "10.0.0.256".'],
  ],
  [
    "both addresses and none",
    host,
    { ports, addresses: ["10.96.0.1"], headless: true },
    ["/addresses A headless service has no addresses of its own: its clients dial the instances."],
  ],
])("a service with %s is refused", async (_what, name, given, problems) => {
  const { api, registry } = await createRestLab();
  const before = registry.catalog.value;
  expect(problemsOf(await api.putService(name, given, "ci"))).toEqual(problems);
  expect(registry.catalog.value).toBe(before);
});

test.each<[string, string, unknown, string[]]>([
  ["no address", "a", {}, ["/address The field address is missing."]],
  [
    "a port that its service does not have",
    "a",
    { ...body, ports: { htp: 1 } },
    ['/ports/htp The service has no port "htp".'],
  ],
  ["a short ttl", "a", { ...body, ttl: "999ms" }, ["/ttl Expected a time from 1s to 24h, found 999ms."]],
  ["a long ttl", "a", { ...body, ttl: "25h" }, ["/ttl Expected a time from 1s to 24h, found 25h."]],
  ["a number for a ttl", "a", { ...body, ttl: 10 }, ["/ttl Expected a text, found 10."]],
  ["words for a ttl", "a", { ...body, ttl: "soon" }, ['/ttl Expected a time like 10s, found "soon".']],
  [
    "a negative generation",
    "a",
    { ...body, generation: -1 },
    [`/generation Expected a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, found -1.`],
  ],
  ["an empty id", "", body, [" Expected a text of 1 to 253 characters, found an empty one."]],
  [
    "too many labels",
    "a",
    { ...body, labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, ""])) },
    ["/labels Expected at most 64 fields, found 65."],
  ],
])("an instance with %s is refused", async (_what, id, given, problems) => {
  const { api } = await createRestLab();
  expect(problemsOf(await api.putInstance(host, id, given, "ci"))).toEqual(problems);
  expect(api.instances(host)).toEqual([]);
});

test("many at once: all of them or none", async () => {
  const { api, db } = await createRestLab();
  const item = (id: string, part: object = {}) => ({ id, ...body, ...part });
  expect(problemsOf(await api.putInstances(host, { instances: [item("a"), item("a")] }, "ci"))).toEqual([
    '/instances/1/id The instance id "a" is already that of item 0.',
  ]);
  expect(
    problemsOf(await api.putInstances(host, { instances: [item("a"), item("b", { ports: { x: 1 } })] }, "ci")),
  ).toEqual(['/instances/1/ports/x The service has no port "x".']);
  const thousandAndOne = Array.from({ length: 1_001 }, (_, i) => item(`i${i}`));
  expect(problemsOf(await api.putInstances(host, { instances: thousandAndOne }, "ci"))).toEqual([
    "/instances Expected at most 1000 items, found 1001.",
  ]);
  expect(api.instances(host)).toEqual([]);
  const result = await api.putInstances(host, { instances: [item("b"), item("a", { generation: 2 })] }, "ci");
  expect(result).toMatchObject({ kind: "done", created: true, value: [{ id: "b" }, { id: "a" }] });
  expect(await api.putInstances(host, { instances: [item("c"), item("a", { generation: 1 })] }, "ci")).toEqual({
    kind: "stale",
    id: "a",
    generation: 2,
  });
  expect(api.instances(host)?.map(({ id }) => id)).toEqual(["a", "b"]);
  expect(rowCount(db, "registered_instances")).toBe(2);
});

test("what is not there", async () => {
  const { api } = await createRestLab();
  const service = { kind: "not-found", what: "service" };
  const instance = { kind: "not-found", what: "instance" };
  expect(await api.putInstance("other", "a", body, "ci")).toEqual(service);
  expect(await api.putInstances("other", { instances: [] }, "ci")).toEqual(service);
  expect(await api.deleteService("other", "ci")).toEqual(service);
  expect(await api.deleteService("*", "ci")).toEqual(service);
  expect(api.heartbeat("other", "a", {})).toEqual(service);
  expect(api.heartbeat(host, "a", {})).toEqual(instance);
  expect(await api.drain(host, "a", {}, "ci")).toEqual(instance);
  expect(await api.deleteInstance(host, "a", "ci")).toEqual(instance);
  expect(api.service("other")).toBeUndefined();
  expect(api.instances("other")).toBeUndefined();
  expect(api.instance(host, "a")).toBeUndefined();
});

test("a service with instances stays, unless they shall go with it", async () => {
  const { api, registry, db } = await createRestLab();
  await api.putInstance(host, "a", body, "ci");
  expect(await api.deleteService(host, "ci")).toMatchObject({
    kind: "conflict",
    message: `The service ${host} has 1 instance.`,
  });
  expect(await api.deleteService(host, "ci", { cascade: true })).toMatchObject({
    kind: "done",
    created: false,
    value: { host, instances: 1 },
  });
  expect(registry.catalog.value?.services.size).toBe(0);
  expect(registry.catalog.value?.instances.size).toBe(0);
  expect(rowCount(db, "registered_services") + rowCount(db, "registered_instances")).toBe(0);
});

test("a deletion tells what it deleted, also what is registered in the same breath", async () => {
  const { api } = await createRestLab();
  const given = { address: "10.0.0.1", ttl: "10s" };
  const [, instance, , service] = await Promise.all([
    api.putInstance(host, "a", given, "ci"),
    api.deleteInstance(host, "a", "ci"),
    api.putService("new", { ports }, "ci"),
    api.deleteService("new", "ci"),
  ]);
  expect(instance).toMatchObject({ kind: "done", value: { id: "a", lease: { state: "live" } } });
  expect(service).toMatchObject({ kind: "done", value: { host: "new", instances: 0 } });
  expect(api.services().map((each) => each.host)).toEqual([host]);
});

test("a service keeps the ports that its instances name", async () => {
  const { api } = await createRestLab();
  await api.putInstance(host, "a", { ...body, ports: { http: 1 } }, "ci");
  expect(await api.putService(host, { ports: [{ name: "grpc", number: 9080 }] }, "ci")).toMatchObject({
    kind: "conflict",
    hint: "Keep the port http, or register the instance without it first.",
  });
});

test("a service moves to another namespace with its instances", async () => {
  const { api, registry } = await createRestLab();
  await api.putInstance(host, "a", body, "ci");
  const instances = registry.catalog.value?.instances.get(`shop/${host}` as never);
  await api.putService(host, { ports, namespace: "bank" }, "ci");
  expect([...(registry.catalog.value?.services.keys() ?? [])]).toEqual([`bank/${host}`]);
  expect([...(registry.catalog.value?.instances ?? [])]).toEqual([[`bank/${host}`, instances]]);
  expect(registry.catalog.value?.instances.get(`bank/${host}` as never)).toBe(instances);
});

test("a service is resolved by DNS while an instance of it has a name", async () => {
  const { api, registry } = await createRestLab();
  const resolution = () => registry.catalog.value?.services.get(`shop/${host}` as never)?.resolution;
  expect(resolution()).toBe("instances");
  await api.putInstance(host, "a", { address: "a.example.com" }, "ci");
  await api.putInstance(host, "b", { address: "10.0.0.2" }, "ci");
  expect(resolution()).toBe("dns");
  await api.putInstance(host, "a", { address: "10.0.0.1" }, "ci");
  expect(resolution()).toBe("instances");
});

describe("what clients dial", () => {
  const key = `shop/${host}` as never;

  test("the addresses of a service are in the catalog, before and after a restart", async () => {
    const { api, registry, open } = await createRestLab();
    const given = { ports, addresses: ["10.96.0.1", "FD00:0::1", "10.1.2.3/16"] };
    const addresses = ["10.96.0.1", "fd00::1", "10.1.0.0/16"];
    expect(await api.putService(host, given, "ci")).toMatchObject({ value: { addresses, headless: false } });
    for (const { catalog } of [registry, await open()]) {
      expect(catalog.value?.services.get(key)).toMatchObject({ addresses, resolution: "instances" });
    }
  });

  test("clients of a headless service choose the instance, before and after a restart", async () => {
    const { api, registry, open } = await createRestLab();
    expect(await api.putService(host, { ports, headless: true }, "ci")).toMatchObject({ value: { headless: true } });
    await api.putInstance(host, "a", body, "ci");
    for (const { catalog, registrations } of [registry, await open()]) {
      expect(catalog.value?.services.get(key)).toMatchObject({ addresses: [], resolution: "original-destination" });
      expect(registrations.service(host)).toMatchObject({ headless: true, instances: 1 });
    }
  });

  test.each<[string, object, string]>([
    ["headless", { ports, headless: true }, "clients of a headless service dial its instances"],
    ["a network", { ports, addresses: ["10.0.0.0/8"] }, "the service has a network for an address"],
  ])("%s: no instance has a name", async (_what, service, reason) => {
    const { api } = await createRestLab();
    const named = { address: "a.example.com" };
    await api.putInstance(host, "a", named, "ci");
    expect(await api.putService(host, service, "ci")).toEqual({
      kind: "conflict",
      message: `The instance a has the host name a.example.com for an address, and would need an IP address, because ${reason}.`,
      hint: "Register the instance with an IP address first, or delete it.",
    });
    await api.putInstance(host, "a", body, "ci");
    expect(await api.putService(host, service, "ci")).toMatchObject({ kind: "done" });
    const expected = `Expected an IP address, because ${reason}, found "a.example.com".`;
    expect(problemsOf(await api.putInstance(host, "a", named, "ci"))).toEqual([`/address ${expected}`]);
    const instances = [
      { id: "b", ...body },
      { id: "c", ...named },
    ];
    expect(problemsOf(await api.putInstances(host, { instances }, "ci"))).toEqual([`/instances/1/address ${expected}`]);
  });

  test("a record from before there were addresses is read; one without any is written like that", async () => {
    const { db, open } = await createRestLab();
    const stored = () => String(db.prepare("SELECT data FROM registered_services WHERE host = ?").get(host)?.["data"]);
    expect(Object.keys(JSON.parse(stored())).sort()).toEqual(["external", "namespace", "ports", "registered"]);
    const old =
      '{"namespace":"shop","ports":[{"name":"web","number":80},{"name":"db","number":3306}],"external":false,"registered":{"at":1,"by":"ci"}}';
    db.prepare("UPDATE registered_services SET data = ? WHERE host = ?").run(old, host);
    const { registrations } = await open();
    expect(registrations.service(host)).toEqual({
      host,
      namespace: "shop",
      addresses: [],
      headless: false,
      ports: [
        { name: "web", number: 80, protocol: "auto" },
        { name: "db", number: 3306, protocol: "tcp" },
      ],
      external: false,
      registered: { at: 1, by: "ci" },
      instances: 0,
    });
  });
});

test("the same again changes nothing, writes nothing, and renews the lease", async () => {
  const { api, registry, clock, state } = await createRestLab();
  const given = { ...body, ttl: "10s" };
  await api.putInstance(host, "a", given, "ci");
  const [before, writes] = [registry.catalog.value, state.calls.length];
  clock.advance(9_000);
  expect(await api.putService(host, { ports }, "else")).toMatchObject({
    created: false,
    value: { registered: { by: "ci" } },
  });
  expect(await api.putInstance(host, "a", given, "else")).toMatchObject({
    created: false,
    value: { registered: { by: "ci" }, lease: { expiresAt: clock.now() + 10_000 } },
  });
  clock.advance(9_000);
  expect(registry.catalog.value).toBe(before);
  expect(state.calls.length).toBe(writes);
});

test("more than there may be", async () => {
  const { api } = await createRestLab({ limits: { services: 2, instances: 2 } });
  await api.putService("b", { ports }, "ci");
  const full = (what: string) => ({ kind: "conflict", message: `There are 2 ${what} already; more are not taken.` });
  expect(await api.putService("c", { ports }, "ci")).toMatchObject(full("services"));
  expect(await api.putService("b", { ports: [{ name: "x", number: 1 }] }, "ci")).toMatchObject({ kind: "done" });
  const instances = ["1", "2", "3"].map((id) => ({ id, ...body }));
  expect(await api.putInstances("b", { instances }, "ci")).toMatchObject(full("instances"));
  await api.putInstances("b", { instances: instances.slice(1) }, "ci");
  expect(await api.putInstance(host, "1", body, "ci")).toMatchObject(full("instances"));
  expect(await api.putInstance("b", "2", { address: "10.0.0.9" }, "ci")).toMatchObject({ kind: "done" });
  await api.deleteService("b", "ci", { cascade: true });
  expect(await api.putInstance(host, "1", body, "ci")).toMatchObject({ kind: "done", created: true });
});

test("many clients at once share the writes and the catalogs", async () => {
  const { api, registry, state } = await createRestLab();
  let catalogs = 0;
  registry.catalog.subscribe(() => catalogs++);
  const before = state.calls.length;
  const results = await Promise.all(
    Array.from({ length: 500 }, (_, i) => api.putInstance(host, `i${i}`, { address: "10.0.0.1" }, "ci")),
  );
  expect(results.every(({ kind }) => kind === "done")).toBe(true);
  expect(api.instances(host)).toHaveLength(500);
  expect(state.calls.length - before).toBeLessThanOrEqual(4);
  expect(catalogs).toBeLessThanOrEqual(4);
});

test("what is put in one breath comes out in the order of asking", async () => {
  const { api, db } = await createRestLab();
  const results = await Promise.all([
    api.putInstance(host, "a", body, "ci"),
    api.drain(host, "a", {}, "ci"),
    api.deleteInstance(host, "a", "ci"),
    api.deleteInstance(host, "a", "ci"),
    api.deleteService(host, "ci"),
    api.putInstance(host, "a", body, "ci"),
    api.putService(host, { ports }, "ci"),
    api.putInstance(host, "b", body, "ci"),
  ]);
  expect(results.map(({ kind }) => kind)).toEqual([
    "done",
    "done",
    "done",
    "not-found",
    "done",
    "not-found",
    "done",
    "done",
  ]);
  expect(api.instances(host)?.map(({ id }) => id)).toEqual(["b"]);
  expect(rowCount(db, "registered_instances")).toBe(1);
});

test("counted and logged", async () => {
  const metrics = createMetrics();
  const lines: string[] = [];
  const log = createLog({ level: "info", format: "json", write: (line) => lines.push(line) });
  const { api, clock } = await createRestLab({ metrics, log });
  await api.putInstance(host, "a", { ...body, ttl: "1s" }, "ci");
  api.heartbeat(host, "a", {});
  api.heartbeat(host, "b", {});
  clock.advance(1_000);
  api.heartbeat(host, "a", {});
  clock.advance(3_000);
  const { text } = await metrics.expose();
  expect(text.split("\n").filter((line) => line.startsWith("fairway_lease"))).toEqual([
    'fairway_lease_events_total{event="missed"} 2',
    'fairway_lease_events_total{event="healed"} 1',
    'fairway_lease_events_total{event="expired"} 1',
    'fairway_lease_heartbeats_total{outcome="renewed"} 2',
    'fairway_lease_heartbeats_total{outcome="not-found"} 1',
  ]);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: "warn", registry: "rest", count: 1, first: [`${host}/a`] },
    { level: "warn", msg: "instances sent no heartbeat and get no more traffic" },
    { level: "warn", msg: "instances sent no heartbeat and are removed" },
  ]);
});
