import fc from "fast-check";
import { expect, test } from "vitest";
import type { Health } from "../../src/model/instance.ts";
import type { RestRegistry } from "../../src/registry/rest/rest-registry.ts";
import { createRestLab, ports } from "./rest-lab.ts";

const hosts = ["a.shop.svc.cluster.local", "b.example.com"];
const host = fc.constantFrom(...hosts);
const id = fc.constantFrom("1", "2", "3");
const item = fc.record(
  {
    address: fc.constantFrom("10.0.0.1", "10.0.0.2", "x.example.com"),
    locality: fc.constantFrom("r1/z1/s1", "r2"),
    health: fc.constantFrom<Health>("healthy", "unhealthy", "draining"),
    labels: fc.constantFrom({}, { version: "v2" }),
    ttl: fc.constantFrom("1s", "3s", "10s"),
    generation: fc.integer({ min: 0, max: 3 }),
  },
  { requiredKeys: ["address"] },
);

const command = fc.oneof(
  fc.record({ kind: fc.constant("service" as const), host }),
  fc.record({ kind: fc.constant("delete-service" as const), host, cascade: fc.boolean() }),
  fc.record({ kind: fc.constant("put" as const), host, id, item }),
  fc.record({ kind: fc.constant("put-all" as const), host, items: fc.array(fc.tuple(id, item), { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant("heartbeat" as const),
    host,
    id,
    generation: fc.option(fc.integer({ min: 0, max: 3 })),
  }),
  fc.record({ kind: fc.constant("drain" as const), host, id, seconds: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ kind: fc.constant("delete" as const), host, id }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 12_000 }) }),
  fc.record({ kind: fc.constant("restart" as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
  fc.record({ kind: fc.constant("failing" as const), failing: fc.boolean() }),
);

type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;
type Item = typeof item extends fc.Arbitrary<infer T> ? T : never;

interface Known {
  readonly item: Item;
  readonly generation: number | undefined;
  readonly renewedAt: number;
  readonly drainedAt: number | undefined;
}

/** The same in the plainest way: nothing happens in the background, time is looked at when somebody asks. */
function createModel() {
  const services = new Map<string, Map<string, Known>>();
  const ttlOf = ({ item: { ttl } }: Known) =>
    ttl === undefined ? Number.POSITIVE_INFINITY : Number.parseInt(ttl, 10) * 1_000;
  const sweep = (now: number) => {
    for (const instances of services.values()) {
      for (const [key, known] of instances) {
        if (now >= known.renewedAt + 3 * ttlOf(known) || now >= (known.drainedAt ?? Number.POSITIVE_INFINITY)) {
          instances.delete(key);
        }
      }
    }
  };
  const stale = (known: Known | undefined, told: number | undefined | null) =>
    known?.generation !== undefined && typeof told === "number" && told < known.generation;
  const healthOf = (known: Known, now: number): Health => {
    if (now >= known.renewedAt + ttlOf(known)) return "unhealthy";
    return known.drainedAt === undefined ? (known.item.health ?? "healthy") : "draining";
  };

  const put = (host: string, items: readonly (readonly [string, Item])[], now: number) => {
    const instances = services.get(host);
    if (new Set(items.map(([key]) => key)).size < items.length) return "invalid";
    if (instances === undefined) return "not-found";
    if (items.some(([key, { generation }]) => stale(instances.get(key), generation))) return "stale";
    for (const [key, given] of items) {
      const generation = given.generation ?? instances.get(key)?.generation;
      instances.set(key, { item: given, generation, renewedAt: now, drainedAt: undefined });
    }
    return "done";
  };

  /** What the answer to the command must be. */
  const run = (command: Command, now: number): string => {
    sweep(now);
    if (!("host" in command)) return "done";
    const instances = services.get(command.host);
    if (command.kind === "service") {
      services.set(command.host, instances ?? new Map());
      return "done";
    }
    if (command.kind === "put") return put(command.host, [[command.id, command.item]], now);
    if (command.kind === "put-all") return put(command.host, command.items, now);
    if (instances === undefined) return "not-found";
    if (command.kind === "delete-service") {
      if (instances.size > 0 && !command.cascade) return "conflict";
      services.delete(command.host);
      return "done";
    }
    const known = instances.get(command.id);
    if (known === undefined) return "not-found";
    if (command.kind === "delete") instances.delete(command.id);
    if (command.kind === "drain") instances.set(command.id, { ...known, drainedAt: now + command.seconds * 1_000 });
    if (command.kind === "heartbeat") {
      if (stale(known, command.generation)) return "stale";
      if (known.generation !== undefined && (command.generation ?? 0) > known.generation) return "not-found";
      instances.set(command.id, { ...known, renewedAt: now });
    }
    return "done";
  };

  return {
    run,
    restart: (now: number) => {
      for (const instances of services.values()) {
        for (const [key, known] of instances) instances.set(key, { ...known, renewedAt: now });
      }
      sweep(now);
    },
    state: (now: number) => {
      sweep(now);
      return Object.fromEntries(
        [...services].map(([name, instances]) => [
          name,
          Object.fromEntries(
            [...instances].map(([key, known]) => [key, `${known.item.address} ${healthOf(known, now)}`]),
          ),
        ]),
      );
    },
  };
}

const stateOf = (registry: RestRegistry) =>
  Object.fromEntries(
    [...(registry.catalog.value?.services.values() ?? [])].map(({ key, hostname }) => [
      hostname,
      Object.fromEntries(
        (registry.catalog.value?.instances.get(key) ?? []).map(({ id: name, address, health }) => [
          name,
          `${address} ${health}`,
        ]),
      ),
    ]),
  );

const send = async ({ registrations: api }: RestRegistry, command: Command): Promise<string> => {
  const ask = () => {
    switch (command.kind) {
      case "service":
        return api.putService(command.host, { ports }, "test");
      case "delete-service":
        return api.deleteService(command.host, "test", { cascade: command.cascade });
      case "put":
        return api.putInstance(command.host, command.id, command.item, "test");
      case "put-all": {
        const instances = command.items.map(([name, given]) => ({ id: name, ...given }));
        return api.putInstances(command.host, { instances }, "test");
      }
      case "heartbeat":
        return api.heartbeat(command.host, command.id, { generation: command.generation });
      case "drain":
        return api.drain(command.host, command.id, { for: `${command.seconds}s` }, "test");
      case "delete":
        return api.deleteInstance(command.host, command.id, "test");
      default:
        return { kind: "done" };
    }
  };
  return (await ask()).kind;
};

test("any sequence of operations, restarts and the passing of time is as in the model", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
      const { clock, open, registry: first, state } = await createRestLab();
      await first.registrations.deleteService("reviews.shop.svc.cluster.local", "test");
      const model = createModel();
      let registry = first;
      for (const command of commands) {
        if (command.kind === "pass") clock.advance(command.ms);
        else if (command.kind === "failing") {
          // What is refused for the database's sake is tested elsewhere; here time passes meanwhile.
          state.failing = command.failing;
          clock.advance(1_000);
          await new Promise(setImmediate);
          state.failing = false;
        } else if (command.kind === "restart") {
          await registry.close();
          clock.advance(command.ms);
          registry = await open();
          model.restart(clock.now());
          clock.advance(0);
        } else {
          const told = await send(registry, command);
          expect([command, told]).toEqual([command, model.run(command, clock.now())]);
          // Several that heal come together.
          clock.advance(50);
        }
        expect(stateOf(registry)).toEqual(model.state(clock.now()));
      }
      await registry.close();
      const again = await open();
      model.restart(clock.now());
      clock.advance(0);
      expect(stateOf(again)).toEqual(model.state(clock.now()));
      await again.close();
    }),
    { numRuns: 300 },
  );
});
