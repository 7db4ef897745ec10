import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Catalog, createCatalog } from "../../src/model/catalog.ts";
import type { Health, Instance } from "../../src/model/instance.ts";
import type { Service } from "../../src/model/service.ts";
import { begin, expire, expiryOf, type Guard, pin, release, renew, take } from "../../src/registry/guard/guard.ts";
import type { GuardPolicy } from "../../src/registry/guard/policy.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import { host, instance, service } from "../support/mesh.ts";

const policy: GuardPolicy = { holdMs: 60_000, maxShrink: 0.3, isTrusted: () => false };

/** `reviews: ["1", "2!"]`; a `!` drains, a `-` is unhealthy. */
type Truth = Readonly<Record<string, readonly string[]>>;

const signs: Readonly<Record<string, Health>> = { "!": "draining", "-": "unhealthy" };

function copyOf(name: string, text: string): Instance {
  const id = text.replace(/[!-]$/, "");
  const octet = [...name].reduce((sum, letter) => (sum * 7 + letter.charCodeAt(0)) % 251, 0);
  return instance(id, { address: `10.0.${octet}.${Number(id) % 256}`, health: signs[text.slice(-1)] ?? "healthy" });
}

const catalogOf = (truth: Truth): Catalog =>
  createCatalog(
    Object.entries(truth).map(([name, ids]) =>
      service(
        name,
        ids.map((text) => copyOf(name, text)),
      ),
    ),
  );

/** What is in a catalog, in the words of the truth. */
const truthOf = ({ services, instances }: Catalog): Truth =>
  Object.fromEntries(
    [...services].map(([key, { hostname }]) => [
      hostname.split(".")[0],
      (instances.get(key) ?? []).map(
        ({ id, health }) => id + (Object.entries(signs).find(([, sign]) => sign === health)?.[0] ?? ""),
      ),
    ]),
  );

const count = (length: number, first = 1): readonly string[] =>
  Array.from({ length }, (_, i) => String(first + i)).sort();

/** A guard that is told one truth after the other, sharing what stays, as registries do. */
function lab(first: Truth, policyOf: Partial<GuardPolicy> = {}) {
  const using = { ...policy, ...policyOf };
  let guard = begin(catalogOf(first));
  let nowMs = 0;
  const become = (next: Guard) => {
    guard = next;
    return truthOf(guard.served);
  };
  return {
    guard: () => guard,
    report: (truth: Truth) => become(take(guard, shareCatalog(guard.reported, catalogOf(truth)), nowMs, using)),
    pass: (ms: number) => {
      nowMs += ms;
      return become(expire(guard, nowMs, using));
    },
    become: (next: (guard: Guard, nowMs: number) => Guard) => become(next(guard, nowMs)),
    expiresAt: () => expiryOf(guard, using)?.first,
    reasons: () =>
      Object.fromEntries(guard.held.values().map((item) => [item.service.hostname.split(".")[0], item.reason])),
  };
}

const five = { a: count(5), b: count(5), c: count(5), d: count(5), e: count(5) };

describe("what goes at once", () => {
  test("one instance among living ones, again and again", () => {
    const { report, reasons } = lab({ ...five, a: count(5) });
    expect(report({ ...five, a: count(4) })).toEqual({ ...five, a: count(4) });
    expect(report({ ...five, a: count(3) })).toEqual({ ...five, a: count(3) });
    expect(reasons()).toEqual({});
  });

  test("what took its leave before, were it all", () => {
    const leaving = count(5).map((id) => `${id}!`);
    const { report } = lab(five);
    expect(report({ ...five, a: leaving, b: leaving })).toEqual({ ...five, a: leaving, b: leaving });
    expect(report({ ...five, a: [], b: [] })).toEqual({ ...five, a: [], b: [] });
  });

  test("what takes its leave is no loss, and no measure of one", () => {
    const { report } = lab({ a: count(20) });
    const leaving = count(20).slice(5);
    report({ a: [...count(20).slice(0, 5), ...leaving.map((id) => `${id}!`)] });
    const staying = count(20).slice(0, 5);
    expect(report({ a: staying })).toEqual({ a: staying });
    expect(report({ a: staying.slice(1) })).toEqual({ a: staying.slice(1) });
    expect(report({ a: staying.slice(3) })).toEqual({ a: staying.slice(1) });
  });

  test("instances that others come for", () => {
    const { report } = lab(five);
    const others = { a: count(5, 11), b: count(5, 11), c: count(5, 11), d: count(5, 11), e: count(5, 11) };
    expect(report(others)).toEqual(others);
  });

  test("what got no requests before", () => {
    const { report } = lab({ ...five, a: ["1-", "2-", "3-"] });
    expect(report({ ...five, a: [] })).toEqual({ ...five, a: [] });
  });

  test("what fails by itself, were it all of a service, and comes and goes", () => {
    const { report } = lab({ ...five, f: ["1"] });
    for (const f of ["1-", "1", "1-", "1!", "1-"]) expect(report({ ...five, f: [f] })).toEqual({ ...five, f: [f] });
  });

  test("what fails, however many do at once", () => {
    const { report, reasons } = lab(five);
    const failing = {
      ...five,
      a: count(5).map((id) => `${id}-`),
      b: ["1-", "2-", "3-", "4", "5"],
      c: ["1-", "2-", "3", "4", "5"],
    };
    expect(report(failing)).toEqual(failing);
    expect(reasons()).toEqual({});
    const fewer = { ...failing, a: [], b: ["4", "5"] };
    expect(report(fewer)).toEqual(fewer);
  });

  test("the last one that gets requests, beside some that drain: they serve", () => {
    const { report } = lab({ ...five, a: ["1", "2"] });
    expect(report({ ...five, a: ["2!"] })).toEqual({ ...five, a: ["2!"] });
  });

  test("a service that is not reported any more, also one that was held", () => {
    const { report, reasons } = lab(five);
    const { a: _a, ...others } = five;
    expect(report({ ...five, a: [] })).toEqual(five);
    expect(report(others)).toEqual(others);
    expect(reasons()).toEqual({});
    const second = lab(five);
    expect(second.report(others)).toEqual(others);
  });

  test("a service without instances", () => {
    expect(lab({ ...five, empty: [] }).report(five)).toEqual(five);
  });

  test("what is trusted, and everything where nothing is to be held", () => {
    expect(lab(five, { isTrusted: ({ hostname }) => hostname.startsWith("a.") }).report({ ...five, a: [] })).toEqual({
      ...five,
      a: [],
    });
    expect(lab(five, { holdMs: 0 }).report({ a: ["1"] })).toEqual({ a: ["1"] });
  });

  test("a few of a small registry", () => {
    expect(lab({ a: count(4) }).report({ a: count(2) })).toEqual({ a: count(2) });
  });

  test("much, but slowly", () => {
    const { report, pass } = lab({ a: count(20) });
    for (const left of [15, 11, 8]) {
      expect(report({ a: count(left) })).toEqual({ a: count(left) });
      pass(60_000);
    }
    expect(report({ a: count(5) })).toEqual({ a: count(8) });
  });
});

describe("what is held", () => {
  test("the last instances of a service, for a while", () => {
    const { report, pass, reasons, expiresAt, guard } = lab(five);
    expect(report({ ...five, a: [] })).toEqual(five);
    expect(reasons()).toEqual({ a: "emptied" });
    expect(expiresAt()).toBe(60_000);
    expect(pass(59_999)).toEqual(five);
    expect(pass(1)).toEqual({ ...five, a: [] });
    expect(guard().served).toBe(guard().reported);
    expect(expiresAt()).toBeUndefined();
  });

  test("services that are not reported any more, where they are too many", () => {
    const { report, pass, reasons } = lab(five);
    const { a: _a, b: _b, ...others } = five;
    expect(report(others)).toEqual(five);
    expect(reasons()).toEqual({ a: "gone", b: "gone" });
    pass(30_000);
    const { c: _c, ...fewer } = others;
    expect(report(fewer)).toEqual(five);
    expect(pass(30_000)).toEqual(others);
    expect(pass(30_000)).toEqual(fewer);
  });

  test("nine tenths of a registry; who comes back counts at once, and all is well when they are as many as before", () => {
    const { report, reasons, guard } = lab(five);
    const unready = ["1-", "2", "3", "4", "5"];
    expect(report({ a: ["1"], b: ["1"], c: [], d: [], e: ["1-"] })).toEqual({ ...five, e: unready });
    expect(reasons()).toEqual({ a: "shrunk", b: "shrunk", c: "emptied", d: "emptied", e: "emptied" });
    expect(report({ ...five, a: ["1"], b: ["1", "9"] })).toEqual({ ...five, b: ["1", "2", "3", "4", "5", "9"] });
    expect(reasons()).toEqual({ a: "shrunk", b: "shrunk" });
    const back = { ...five, b: ["1", "6", "7", "8", "9"] };
    expect(report(back)).toEqual(back);
    expect(guard().served).toBe(guard().reported);
  });

  test("ten instances of which one remains", () => {
    const { report, pass } = lab({ a: count(10) });
    expect(report({ a: ["3"] })).toEqual({ a: count(10) });
    expect(pass(60_000)).toEqual({ a: ["3"] });
  });

  test("what goes one after the other too fast, from the moment on at which it is too much", () => {
    const { report, pass } = lab({ a: count(9) });
    for (const left of [8, 7]) expect(report({ a: count(left) })).toEqual({ a: count(left) });
    pass(1_000);
    expect(report({ a: count(6) })).toEqual({ a: count(7) });
    expect(report({ a: count(5) })).toEqual({ a: count(7) });
  });

  test("each for its own time", () => {
    const { report, pass, expiresAt } = lab(five);
    report({ ...five, a: [] });
    pass(30_000);
    report({ ...five, a: [], b: [] });
    expect(pass(30_000)).toEqual({ ...five, a: [] });
    expect(expiresAt()).toBe(90_000);
    expect(pass(30_000)).toEqual({ ...five, a: [], b: [] });
  });

  test("from the beginning again after the registry was away", () => {
    const { report, pass, become } = lab(five);
    report({ ...five, a: [] });
    pass(50_000);
    become(renew);
    expect(pass(59_999)).toEqual(five);
    expect(pass(1)).toEqual({ ...five, a: [] });
  });

  test.each([
    ["but not under an address and port that somebody else has now", 9080, ["1", "3", "4", "5"]],
    ["also beside somebody who listens elsewhere on the same machine", 9081, count(5)],
  ])("%s", (_what, http, left) => {
    const { report, guard } = lab(five);
    report({ ...five, a: [] });
    const taker = instance("b-9", { address: copyOf("a", "2").address, ports: { http } });
    const next = catalogOf({ ...five, a: [] });
    const [key] = [...next.services.keys()].slice(1);
    if (key === undefined) expect.fail();
    const instances = next.instances.with([[key, [...(next.instances.get(key) ?? []), taker]]]);
    expect(truthOf(take(guard(), { ...next, instances }, 0, policy).served)).toMatchObject({ a: left });
  });

  test.each<Partial<Service>>([{ resolution: "dns" }, { aliasOf: host("b.example") }])(
    "nor where the name stands for something else now: %j",
    (part) => {
      const { guard } = lab(five);
      const next = catalogOf({ ...five, a: [] });
      const services = next.services.with(
        [...next.services].slice(0, 1).map(([key, each]) => [key, { ...each, ...part }]),
      );
      expect(truthOf(take(guard(), { ...next, services }, 0, policy).served)).toMatchObject({ a: [] });
    },
  );

  test("as long as services are held that the registry forgot, it is not to be believed", () => {
    const all = { ...five, small: ["1"] };
    const { report, pass, become } = lab(all);
    const { a: _a, b: _b, ...others } = all;
    report(others);
    pass(50_000);
    become(renew);
    pass(30_000);
    const { small: _small, ...fewer } = others;
    expect(report(fewer)).toEqual(all);
  });
});

describe("what an operator decides", () => {
  test("a release: what is reported counts, and is the measure of what comes", () => {
    const { report, become, reasons } = lab(five);
    report({ a: count(5) });
    expect(become(release)).toEqual({ a: count(5) });
    expect(report({ a: count(4) })).toEqual({ a: count(4) });
    expect(reasons()).toEqual({});
  });

  test("a hold: nothing goes until it is released, what comes counts at once", () => {
    const { report, pass, become, reasons, expiresAt } = lab({ ...five, empty: [] });
    become(pin);
    expect(report({ ...five, a: count(4), b: ["9"] })).toEqual({
      ...five,
      b: ["1", "2", "3", "4", "5", "9"],
      empty: [],
    });
    expect(reasons()).toEqual({ a: "operator", b: "operator", empty: "operator" });
    expect(expiresAt()).toBeUndefined();
    expect(pass(3_600_000)).toMatchObject({ a: count(5) });
    expect(become(release)).toEqual({ ...five, a: count(4), b: ["9"] });
  });

  test("a hold keeps nobody healthy who is not", () => {
    const { report, become } = lab(five);
    become(pin);
    const failing = count(5).map((id) => `${id}-`);
    expect(report({ ...five, a: failing, b: failing })).toEqual({ ...five, a: failing, b: failing });
  });
});

test("what is not touched by a report keeps its identity while something is held", () => {
  const { report, guard } = lab(five);
  report({ ...five, a: [], b: [] });
  const before = guard().served;
  report({ ...five, a: [], b: [], c: count(6) });
  expect(before.services.changesTo(guard().served.services)).toEqual([]);
  expect(before.instances.changesTo(guard().served.instances).map(({ key }) => key)).toEqual([
    "shop/c.shop.svc.cluster.local",
  ]);
});

const names = ["a", "b", "c"] as const;
const someIds = fc.uniqueArray(fc.constantFrom("1", "2", "3", "4", "5", "6", "2!", "4!", "6-"), {
  selector: (id) => id.slice(0, 1),
});
const someTruth = fc.dictionary(fc.constantFrom(...names), someIds, { noNullPrototype: true });
const someEvent = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("report" as const), truth: someTruth }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 40_000 }) }) },
  fc.constant({ kind: "renew" } as const),
  fc.constant({ kind: "pin" } as const),
  fc.constant({ kind: "release" } as const),
);

test("whatever happens: all that is reported is served, nothing is made up, and what is held ends in time", () => {
  fc.assert(
    fc.property(someTruth, fc.array(someEvent, { maxLength: 20 }), (first, events) => {
      const { guard, report, pass, become } = lab(first);
      let heldUntil = 0;
      let now = 0;
      for (const event of events) {
        const last = guard();
        if (event.kind === "report") report(event.truth);
        else if (event.kind === "pass") {
          now += event.ms;
          pass(event.ms);
        } else become({ renew, pin, release }[event.kind]);

        const { reported, served, held, isPinned } = guard();
        if (event.kind === "report" || event.kind === "renew") heldUntil = now + policy.holdMs;
        for (const [key, each] of reported.services) expect(served.services.get(key)).toBe(each);
        for (const [key, list] of reported.instances) {
          const ids = served.instances.get(key)?.map(({ id }) => id) ?? [];
          expect(ids).toEqual(ids.toSorted());
          for (const item of list) {
            expect(served.instances.get(key)?.find(({ id }) => id === item.id)).toBe(item);
          }
        }
        // What is served and not reported was served before.
        for (const [key, list] of served.instances) {
          const told = new Set(reported.instances.get(key)?.map(({ id }) => id));
          const before = new Set(last.served.instances.get(key)?.map(({ id }) => id));
          for (const { id } of list) expect(told.has(id) || before.has(id)).toBe(true);
        }
        if (held.size === 0) expect(served).toBe(reported);
        // Nothing that could be used is lost to the last without a word before.
        if (event.kind === "report") {
          for (const [key, list] of last.served.instances) {
            if (!list.some(({ health }) => health === "healthy") || !served.services.has(key)) continue;
            expect(served.instances.get(key)?.length).toBeGreaterThan(0);
          }
        }
        if (!isPinned && now >= heldUntil) expect(held.size).toBe(0);
      }
    }),
  );
});
