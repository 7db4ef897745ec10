import { afterEach, beforeEach, describe, expect, onTestFinished, type TestContext, test, vi } from "vitest";
import { createLog } from "../../src/base/log.ts";
import { createSignal } from "../../src/base/signal.ts";
import { type Catalog, createCatalog } from "../../src/model/catalog.ts";
import { formatLocality } from "../../src/model/locality.ts";
import { aggregateRegistries } from "../../src/registry/aggregate.ts";
import { guardRegistry, type LastGood } from "../../src/registry/guard/guarded.ts";
import type { RegistrySource, RegistryState } from "../../src/registry/source.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { host as hostname, instance as meshInstance, service as meshService } from "../support/mesh.ts";

/** What is true in the world that a registry reports of. */
export type Truth = Readonly<Record<string, TruthService>>;

export interface TruthService {
  readonly ports: Readonly<Record<string, { readonly number: number; readonly protocol: string }>>;
  readonly instances: Readonly<Record<string, TruthInstance>>;
}

export interface TruthInstance {
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: string;
  readonly weight: number;
  readonly health: "healthy" | "unhealthy" | "draining";
}

/** A registry with something real behind it. */
export interface RegistryLab {
  readonly source: () => RegistrySource;
  /** Makes it true; returns when the other side has taken it, not when the registry has noticed. */
  readonly publish: (truth: Truth) => Promise<void>;
  /** One entry that cannot be read, among the good ones of `truth`. */
  readonly publishBroken: (truth: Truth) => Promise<void>;
  /** The other side goes away; what was published stays there. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  /** Closes the source and makes a new one, as after a restart of the process. */
  readonly restartSource: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export const instance = (number: number, part: Partial<TruthInstance> = {}): TruthInstance => ({
  address: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
  ports: {},
  labels: { app: "reviews", version: "v1" },
  locality: "r1/z1/s1",
  weight: 1,
  health: "healthy",
  ...part,
});

const instances = (count: number): Record<string, TruthInstance> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`reviews-${i}`, instance(i + 1)]));

const reviews = (list: Readonly<Record<string, TruthInstance>>): Truth => ({
  [host]: { ports: { http: { number: 9080, protocol: "http" } }, instances: list },
});

const host = "reviews.shop.svc.cluster.local";

/** What a catalog says, in the words of the truth: a port of an instance is told where it is not the service's number. */
function truthOf(catalog: Catalog | undefined): Truth | undefined {
  if (catalog === undefined) return undefined;
  return Object.fromEntries(
    catalog.services.values().map((service) => [
      service.hostname,
      {
        ports: Object.fromEntries(service.ports.map(({ name, number, protocol }) => [name, { number, protocol }])),
        instances: Object.fromEntries(
          (catalog.instances.get(service.key) ?? []).map(({ id, address, labels, weight, health, ...rest }) => [
            id,
            {
              ...{ address, labels, weight, health, locality: formatLocality(rest.locality) },
              ports: Object.fromEntries(
                service.ports.flatMap(({ name, number }) => {
                  const own = rest.ports[name] ?? number;
                  return own === number ? [] : [[name, own]];
                }),
              ),
            },
          ]),
        ),
      },
    ]),
  );
}

const namesIn = (catalog: Catalog | undefined): readonly string[] =>
  [...(catalog?.instances.values() ?? [])].flat().map(({ registry, id }) => `${registry}/${id}`);

/** A registry behind a guard whose time is the test's; it stays the lab's to close. */
function guarded(source: RegistrySource, lastGood?: LastGood) {
  const clock = createFakeClock();
  const log = createLog({ level: "silent", format: "json", write: () => {} });
  const policy = { holdMs: 60_000, maxShrink: 0.3, isTrusted: () => false };
  const open = { ...source, close: async () => {} };
  const registry = guardRegistry(open, { policy, clock, log, ...(lastGood && { lastGood }) });
  onTestFinished(registry.close);
  return { registry, clock };
}

export interface Abilities {
  /** Its instances can have weights. Default: yes. */
  readonly weights?: boolean;
}

/** The list that every adapter passes against its real counterpart. A lab may skip the test that it is made for. */
export function describeRegistry(
  name: string,
  createLab: (context: Pick<TestContext, "skip">) => Promise<RegistryLab>,
  { weights = true }: Abilities = {},
): void {
  describe(`registry ${name}`, () => {
    let lab: RegistryLab;
    let made: RegistryLab | undefined;
    let states: RegistryState[];

    beforeEach(async (context) => {
      made = undefined;
      lab = await createLab(context);
      made = lab;
      states = [];
      lab.source().health.subscribe(({ state }) => states.push(state));
    });
    afterEach(async () => {
      await made?.close();
    });

    const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 10 });
    const untilTruth = (truth: Truth) => until(() => expect(truthOf(lab.source().catalog.value)).toEqual(truth));
    const untilState = (state: RegistryState) => until(() => expect(lab.source().health.value.state).toBe(state));
    const becomes = async (truth: Truth) => {
      await lab.publish(truth);
      await untilTruth(truth);
    };

    test("says who it is, in every service and instance", async () => {
      await becomes(reviews(instances(2)));
      const source = lab.source();
      const { services, instances: lists } = source.catalog.value ?? expect.fail("no catalog");
      for (const service of services.values()) {
        expect(service.origin).toEqual({ kind: "registry", registry: source.name });
        for (const item of lists.get(service.key) ?? []) expect(item.registry).toBe(source.name);
      }
    });

    test.each([1, 10, 1000])(
      "%d instances",
      async (count) => {
        await becomes(reviews(instances(count)));
        expect(lab.source().health.value).toMatchObject({ state: "LIVE", problems: [] });
      },
      60_000,
    );

    test("weight, labels, version, locality, port and health change", async () => {
      await becomes(reviews(instances(2)));
      const parts: readonly Partial<TruthInstance>[] = [
        ...(weights ? [{ weight: 7 }] : []),
        { labels: { app: "reviews", version: "v2" } },
        { locality: "r2/z1" },
        { ports: { http: 34_567 } },
        { health: "unhealthy" },
        { health: "draining" },
      ];
      for (const part of parts) await becomes(reviews({ ...instances(2), "reviews-1": instance(2, part) }));
    });

    test("one instance goes, and comes back", async () => {
      await becomes(reviews(instances(3)));
      await becomes(reviews(instances(2)));
      await becomes(reviews(instances(3)));
    });

    test("scale to zero", async () => {
      await becomes(reviews(instances(3)));
      await becomes(reviews({}));
    });

    test("what did not change is the same object", async () => {
      const details = {
        "details.shop.svc.cluster.local": {
          ports: { http: { number: 80, protocol: "http" } },
          instances: instances(2),
        },
      };
      await becomes({ ...details, ...reviews(instances(3)) });
      const before = lab.source().catalog.value ?? expect.fail("no catalog");
      await becomes({ ...details, ...reviews({ ...instances(3), "reviews-00": instance(99) }) });
      const after = lab.source().catalog.value ?? expect.fail("no catalog");
      const [detailsKey, reviewsKey] = [...after.services.keys()];
      if (detailsKey === undefined || reviewsKey === undefined) expect.fail("two services expected");
      expect(after.services).toBe(before.services);
      expect(after.instances.get(detailsKey)).toBe(before.instances.get(detailsKey));
      const old = new Map(before.instances.get(reviewsKey)?.map((item) => [item.id, item]));
      for (const item of after.instances.get(reviewsKey) ?? []) {
        if (item.id !== "reviews-00") expect(item).toBe(old.get(item.id));
      }
    });

    test("the same again is silent", async () => {
      await becomes(reviews(instances(3)));
      let calls = 0;
      lab.source().catalog.subscribe(() => calls++);
      await lab.publish(reviews(instances(3)));
      await becomes(reviews(instances(2)));
      expect(calls).toBe(1);
    });

    test("fifty changes in a row end in the last one, and the reports stay bounded", async () => {
      await becomes(reviews(instances(1)));
      let reports = 0;
      lab.source().catalog.subscribe(() => reports++);
      const versioned = (version: number) => reviews({ a: instance(1, { labels: { version: `v${version}` } }) });
      for (let version = 1; version <= 50; version++) await lab.publish(versioned(version));
      await untilTruth(versioned(50));
      expect(reports).toBeLessThanOrEqual(50);
    });

    test("while the other side is away the last catalog stays; then the truth is taken", async () => {
      const truth = reviews(instances(3));
      await becomes(truth);
      await lab.stop();
      await untilState("OUTAGE");
      const { problems, since } = lab.source().health.value;
      expect(problems.length).toBeGreaterThan(0);
      expect(since).toBeGreaterThan(0);
      expect(truthOf(lab.source().catalog.value)).toEqual(truth);
      await lab.start();
      await untilState("LIVE");
      await becomes(reviews(instances(1)));
      expect(states.filter((state, i) => state !== states[i - 1]).slice(-2)).toEqual(["OUTAGE", "LIVE"]);
    });

    test("a malformed entry among good ones takes nothing away that was there, and is named", async () => {
      const truth = reviews(instances(3));
      await becomes(truth);
      await lab.publishBroken(truth);
      await until(() => expect(lab.source().health.value.problems).not.toEqual([]));
      expect(truthOf(lab.source().catalog.value)).toEqual(truth);
      await becomes(reviews(instances(2)));
      await until(() => expect(lab.source().health.value).toMatchObject({ state: "LIVE", problems: [] }));
    });

    test("a start during an outage has no catalog, says why, and recovers", async () => {
      await becomes(reviews(instances(3)));
      await lab.stop();
      await lab.restartSource();
      expect(lab.source().catalog.value).toBeUndefined();
      expect(lab.source().health.value.state).toBe("INITIAL");
      await until(() => expect(lab.source().health.value.problems.length).toBeGreaterThan(0));
      await lab.start();
      await untilState("LIVE");
      await untilTruth(reviews(instances(3)));
    });

    test("what another registry knows too is left out, or joined", async () => {
      const source = lab.source();
      const other = createSignal<Catalog | undefined>(
        createCatalog([meshService("reviews", [meshInstance("x", { registry: "other" })])]),
      );
      const second = { ...source, name: "other", catalog: other };
      const alone = aggregateRegistries([source, second]);
      const joined = aggregateRegistries([source, second], [hostname(host)]);
      onTestFinished(() => {
        alone.close();
        joined.close();
      });
      await becomes(reviews(instances(2)));
      await becomes(reviews(instances(3)));
      expect(truthOf(alone.catalog.value)).toEqual(reviews(instances(3)));
      expect(alone.conflicts.value).toEqual([{ host, definedBy: source.name, leftOut: "other" }]);
      expect(namesIn(joined.catalog.value)).toEqual([...namesIn(source.catalog.value), "other/x"]);
      expect(joined.conflicts.value).toEqual([]);
    });

    test("behind the guard: what is lost all of a sudden is held for its time, one among others goes at once", async () => {
      await becomes(reviews(instances(10)));
      const { registry, clock } = guarded(lab.source());
      const shown = () => truthOf(registry.catalog.value);
      await becomes(reviews(instances(9)));
      expect(shown()).toEqual(reviews(instances(9)));
      await becomes(reviews(instances(1)));
      await until(() => expect(registry.health.value.state).toBe("SUSPECT"));
      expect(shown()).toEqual(reviews(instances(9)));
      await becomes(reviews(instances(9)));
      await until(() => expect(registry.health.value.state).toBe("LIVE"));
      await becomes(reviews({}));
      expect(shown()).toEqual(reviews(instances(9)));
      clock.advance(60_000);
      expect(shown()).toEqual(reviews({}));
    });

    test("behind the guard, a start during an outage serves what was saved; then what is lost is held", async () => {
      await becomes(reviews(instances(10)));
      const catalog = lab.source().catalog.value ?? expect.fail("no catalog");
      await lab.stop();
      await lab.restartSource();
      const { registry, clock } = guarded(lab.source(), { catalog, savedAt: 1 });
      clock.advance(5_000);
      expect(registry.health.value).toMatchObject({ state: "OUTAGE", asOf: 1 });
      expect(registry.catalog.value).toBe(catalog);
      await lab.start();
      await until(() => expect(registry.health.value.state).toBe("LIVE"));
      await becomes(reviews(instances(1)));
      await until(() => expect(registry.health.value.state).toBe("SUSPECT"));
      expect(truthOf(registry.catalog.value)).toEqual(reviews(instances(10)));
      registry.release();
      expect(truthOf(registry.catalog.value)).toEqual(reviews(instances(1)));
    });

    test("is silent once it is closed", async () => {
      await becomes(reviews(instances(1)));
      const source = lab.source();
      await source.close();
      let calls = 0;
      source.catalog.subscribe(() => calls++);
      await lab.publish(reviews(instances(2)));
      await lab.restartSource();
      await untilTruth(reviews(instances(2)));
      expect(calls).toBe(0);
    });
  });
}
