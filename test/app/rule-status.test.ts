import { describe, expect, test } from "vitest";
import type { RuleFindingView } from "../../src/api/types/findings.ts";
import type { ConditionView, RuleStatusView } from "../../src/api/types/rules.ts";
import { managerIn } from "../../src/app/rule-documents.ts";
import { createRuleStatus } from "../../src/app/rule-status.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import type { FileRead } from "../../src/base/read-files.ts";
import { createSignal } from "../../src/base/signal.ts";
import { type Compiler, createCompiler } from "../../src/compile/compile.ts";
import { createWorld, type World } from "../../src/compile/world.ts";
import { combineRuleSets } from "../../src/config/combine-rule-sets.ts";
import { loadRuleSet } from "../../src/config/load.ts";
import { type RuleKind, ruleKey } from "../../src/config/rule.ts";
import { emptyRuleSet } from "../../src/config/rule-set.ts";
import type { StoredDocument } from "../../src/config/store.ts";
import { createLedger } from "../../src/delivery/ledger.ts";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import { createCatalog } from "../../src/model/catalog.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { gateway, instance, service, sidecar } from "../support/mesh.ts";

const listeners = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec:
  egress: [{port: {number: 9080, protocol: HTTP, name: http}, captureMode: NONE, hosts: ["*/*"]}]
`;

const destinations = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  subsets: [{name: v1, labels: {version: v1}}]
`;

const route = (host = "reviews", extra = "") => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
    - name: all
      route: [{destination: {host: ${host}}}]
${extra}`;

const file = (name: string, text: string): FileRead => ({ kind: "text", file: name, text });

const stored = (kind: RuleKind, part: Partial<StoredDocument> = {}): StoredDocument => ({
  key: ruleKey(kind, "shop", "reviews"),
  kind,
  namespace: "shop",
  name: "reviews",
  labels: {},
  owner: "directory",
  uid: "u",
  generation: 3,
  revision: 7,
  created: { atMs: 0, by: "ann" },
  updated: { atMs: 0, by: "ann" },
  format: "yaml",
  text: "",
  json: "{}",
  ...part,
});

const virtualService = stored("VirtualService");

/** The stations behind the status, without a wire: proxies take what they are given when told to. */
function start(texts: readonly string[], compiler: Compiler = createCompiler()) {
  const catalog = createCatalog([service("reviews", [instance("a", { labels: { version: "v1" } })])]);
  const read = (next: readonly string[]): readonly FileRead[] => next.map((text, i) => file(`${i}.yaml`, text));
  const ruleSet = createSignal(loadRuleSet(emptyRuleSet, read(texts)));
  const directory = createSignal(emptyRuleSet);
  const worldNow = (): World => createWorld(catalog, ruleSet.value, [], defaultMeshSettings);
  const world = createSignal<World | undefined>(worldNow());
  const clock = createFakeClock(0);
  const metrics = createMetrics();
  const log = createLog({ level: "silent", format: "json", write: () => {} });
  const resources = createResourceCache({ world, compiler, clock, log, metrics });
  const ledger = createLedger({ clock, metrics });
  const status = createRuleStatus({ ruleSet, directory, world, ledger, resources });
  let nonces = 0;

  const connect = (node: ProxyNode) => {
    const watch = resources.watch(node, () => {});
    const stream = `s${nonces++}`;
    ledger.opened({ stream, node, variant: "delta", peer: "" });
    const send = (type: TypeName): string => {
      const nonce = `n${nonces++}`;
      ledger.sent(stream, type, nonce, [...(watch.current()?.resources[type].values() ?? [])]);
      return nonce;
    };
    return {
      take: () => {
        for (const { short } of resourceTypes) ledger.accepted(stream, short, send(short));
      },
      refuse: (type: TypeName, reason: string) => ledger.refused(stream, type, send(type), reason),
      leave: () => {
        watch.close();
        ledger.closed(stream);
      },
    };
  };

  return {
    clock,
    ruleSet,
    directory,
    world,
    status,
    connect,
    /** Three proxies that have taken everything. */
    three: () => {
      const all = [connect(sidecar("web-1")), connect(sidecar("web-2")), connect(sidecar("web-3"))];
      for (const proxy of all) proxy.take();
      return all;
    },
    readRules: (next: readonly FileRead[]) => ruleSet.set(loadRuleSet(ruleSet.value, next)),
    compile: () => world.set(worldNow()),
    edit: (...next: readonly string[]) => {
      ruleSet.set(loadRuleSet(ruleSet.value, read(next)));
      world.set(worldNow());
    },
  };
}

/** `True Everywhere 3 of 3 …` */
const condition = (status: RuleStatusView, type: ConditionView["type"]): string =>
  status.conditions
    .filter((one) => one.type === type)
    .map((one) => `${one.status} ${one.reason}: ${one.message}`)
    .join();

const accepted = (status: RuleStatusView) => condition(status, "Accepted");
const inForce = (status: RuleStatusView) => condition(status, "InForce");

test("the whole of it, of a rule that everybody has", () => {
  const { status, three } = start([listeners, destinations, route()]);
  three();
  expect(status(virtualService)).toEqual({
    observedGeneration: 3,
    verdict: "valid",
    inForce: "current",
    conditions: [
      { type: "Accepted", status: "True", reason: "Valid", message: "It has no errors." },
      { type: "InForce", status: "True", reason: "Everywhere", message: "3 of 3 proxies have accepted it." },
    ],
    delivery: { targeted: 3, acked: 3, pending: 0, refused: 0 },
    findings: [],
    refusals: [],
  });
});

describe("with the proxies", () => {
  test("none connected, and none that has anything of it", () => {
    const { status, connect } = start([listeners, route()]);
    expect(inForce(status(virtualService))).toBe("False NoProxies: No connected proxy has anything of it.");
    connect(gateway()).take();
    expect(status(virtualService).delivery.targeted).toBe(0);
  });

  test("one has not answered, then all have, then one leaves", () => {
    const { status, three, connect } = start([listeners, route()]);
    const [first] = three();
    const late = connect(sidecar("web-4"));
    expect(inForce(status(virtualService))).toBe(
      "Unknown Pending: 3 of 4 proxies have accepted it; waiting for web-4.shop.",
    );
    late.take();
    expect(inForce(status(virtualService))).toBe("True Everywhere: 4 of 4 proxies have accepted it.");
    first?.leave();
    expect(inForce(status(virtualService))).toBe("True Everywhere: 3 of 3 proxies have accepted it.");
  });

  test("a changed rule is pending from the moment it is read, also before the next world", () => {
    const { status, three, readRules, compile } = start([route(), listeners]);
    const all = three();
    const changed = [file("0.yaml", route("reviews.shop.svc.cluster.local")), file("1.yaml", listeners)];
    readRules(changed);
    expect(status(virtualService)).toMatchObject({ delivery: { targeted: 3, acked: 0, pending: 3, refused: 0 } });
    expect(inForce(status(virtualService))).toBe(
      "Unknown Pending: The proxies' configuration with this version is about to be made.",
    );
    readRules([file("0.yaml", route("reviews", "      match: [{uri: {prefix: /a}}]")), file("1.yaml", listeners)]);
    compile();
    expect(inForce(status(virtualService))).toBe(
      "Unknown Pending: 0 of 3 proxies have accepted it; waiting for web-1.shop, web-2.shop, web-3.shop.",
    );
    for (const proxy of all.slice(1)) proxy.take();
    expect(inForce(status(virtualService))).toBe(
      "Unknown Pending: 2 of 3 proxies have accepted it; waiting for web-1.shop.",
    );
  });

  test("no world yet", () => {
    const { status, world } = start([route()]);
    world.set(undefined);
    expect(inForce(status(virtualService))).toMatch(/^Unknown Pending: No proxy can be configured yet/);
  });

  test("refused: who, what, and where in the rule", () => {
    const { status, clock, connect } = start([listeners, route()]);
    connect(sidecar("web-1")).take();
    clock.advance(1_500);
    connect(sidecar("web-2")).refuse("RDS", "9080: no such thing");
    expect(inForce(status(virtualService))).toBe("False Refused: 1 of 2 proxies refused it: web-2.shop.");
    expect(status(virtualService)).toMatchObject({
      verdict: "valid",
      inForce: "current",
      delivery: { targeted: 2, acked: 1, pending: 0, refused: 1 },
      refusals: [
        {
          proxy: sidecar("web-2").id,
          type: "RDS",
          resource: "9080",
          reason: "9080: no such thing",
          at: "1970-01-01T00:00:01.500Z",
          pointer: "/spec/http/0",
          file: "1.yaml",
          line: 8,
          column: 7,
        },
      ],
    });
  });

  test("many are not all named, and at most twenty refusals are shown, the last ones first", () => {
    const { status, clock, connect } = start([listeners, route()]);
    for (let i = 10; i < 35; i++) {
      clock.advance(1_000);
      connect(sidecar(`w${i}`)).refuse("RDS", `no ${i}`);
    }
    expect(inForce(status(virtualService))).toBe(
      "False Refused: 25 of 25 proxies refused it: w10.shop, w11.shop, w12.shop and 22 more.",
    );
    const { refusals } = status(virtualService);
    expect([refusals.length, refusals[0]?.reason, refusals[19]?.reason]).toEqual([20, "no 34", "no 15"]);
  });

  test("a configuration that cannot be made confirms nothing", () => {
    const good = createCompiler();
    let broken = false;
    const compile: Compiler["compile"] = (...args) => {
      if (broken) throw new Error("planted");
      return good.compile(...args);
    };
    const { status, three, edit } = start([listeners, route()], { ...good, compile });
    three();
    broken = true;
    edit(listeners, route(), destinations);
    expect(status(virtualService).delivery).toEqual({ targeted: 3, acked: 0, pending: 3, refused: 0 });
  });
});

describe("with what the rule says", () => {
  test("a reference that leads nowhere", () => {
    const { status, three } = start([listeners, route("nobody")]);
    three();
    const found = status(virtualService);
    expect(accepted(found)).toBe("True Warned: It has no errors, but a warning.");
    expect(inForce(found)).toBe(
      "False PartlyInForce: 3 of 3 proxies have accepted it, but a part leads nowhere. " +
        "No service has the host nobody.shop.svc.cluster.local.",
    );
    expect(found).toMatchObject({
      verdict: "warned",
      inForce: "current",
      findings: [{ code: "rule/unknown-host", line: 9 }],
    });
    expect(found.findings[0]).not.toHaveProperty("rule");
  });

  test("the same in two places is said once", () => {
    const { status, three } = start([listeners, route("nobody", "    - route: [{destination: {host: nobody}}]")]);
    three();
    const found = status(virtualService);
    expect(accepted(found)).toBe("True Warned: It has no errors, but 2 warnings.");
    expect(inForce(found)).toBe(
      "False PartlyInForce: 3 of 3 proxies have accepted it, but a part leads nowhere. " +
        "No service has the host nobody.shop.svc.cluster.local.",
    );
  });

  test("a reference that leads nowhere, and so no proxy has it", () => {
    const { status, three } = start([listeners, destinations.replace("host: reviews", "host: nobody")]);
    three();
    expect(inForce(status(stored("DestinationRule")))).toBe(
      "False NoProxies: No connected proxy has anything of it. No service has the host nobody.shop.svc.cluster.local.",
    );
  });

  test("a descriptive field is left out", () => {
    const { status, three } = start([listeners, route("reviews", "      match: [{uri: {prefix: /}, statPrefix: a}]")]);
    three();
    expect(inForce(status(virtualService))).toBe(
      "True PartlyInForce: 3 of 3 proxies have accepted it, without a part. " +
        "The field statPrefix is descriptive only and was dropped.",
    );
  });

  test("refused, with and without a version before it", () => {
    const { status, three, edit } = start([listeners, route()]);
    three();
    edit(listeners, route("reviews", "      nonsense: 1"));
    const found = status(virtualService);
    expect(found).toMatchObject({
      verdict: "refused",
      inForce: "previous",
      delivery: { targeted: 3, acked: 3, pending: 0, refused: 0 },
      findings: [{ code: "rule/unknown-field" }],
    });
    expect(accepted(found)).toBe(
      "False Refused: The directory's present version has errors; the last valid one stays in force.",
    );
    expect(inForce(found)).toBe("False NotAccepted: Proxies are configured from its last valid version.");

    const never = start([listeners, route("reviews", "      nonsense: 1")]);
    never.three();
    const other = never.status({ ...virtualService, owner: "store" });
    expect(other).toMatchObject({ verdict: "refused", inForce: "none", delivery: { targeted: 0 } });
    expect(accepted(other)).toBe("False Refused: The stored version has errors; none is in force.");
    expect(inForce(other)).toBe("False NotAccepted: Nothing of it is in force.");
  });

  test("its file cannot be read any more", () => {
    const { status, three, readRules } = start([listeners, route()]);
    three();
    readRules([
      file("0.yaml", listeners),
      { kind: "problem", file: "1.yaml", problem: "unreadable", message: "It cannot be read: permission denied." },
    ]);
    const found = status(virtualService);
    expect(found).toMatchObject({ verdict: "valid", inForce: "previous", delivery: { targeted: 3, acked: 3 } });
    expect(accepted(found)).toBe(
      "Unknown Unreadable: The directory's present version cannot be read; the last valid one stays in force.",
    );
  });

  test("deleted meanwhile", () => {
    const { status, three, edit } = start([listeners, route()]);
    three();
    edit(listeners);
    const found = status(virtualService);
    expect(found).toMatchObject({ inForce: "none", delivery: { targeted: 0 }, findings: [], refusals: [] });
    expect(accepted(found)).toBe("False Deleted: It is not there any more.");
    expect(inForce(found)).toBe("False NotAccepted: Nothing of it is in force.");
  });

  test("a directory has a rule of the same name: the store's is not in force, the directory's is", () => {
    const { status, three, directory, ruleSet, compile } = start([listeners, route()]);
    const own = ruleSet.value;
    directory.set(loadRuleSet(emptyRuleSet, [file("rules/shop.yaml", route())]));
    ruleSet.set(combineRuleSets(emptyRuleSet, [directory.value, own]));
    compile();
    three();
    const shadowed = status({ ...virtualService, owner: "store" });
    expect(shadowed).toMatchObject({
      verdict: "refused",
      inForce: "none",
      delivery: { targeted: 0 },
      findings: [{ code: "rule/managed-elsewhere", file: "1.yaml" }],
    });
    expect(accepted(shadowed)).toBe(
      "False ManagedElsewhere: A directory has a rule of this name in rules/shop.yaml:2; that one counts.",
    );
    expect(inForce(shadowed)).toBe("False NotAccepted: Nothing of it is in force.");
    const counts = status(virtualService);
    expect(counts).toMatchObject({ verdict: "valid", findings: [] });
    expect(inForce(counts)).toBe("True Everywhere: 3 of 3 proxies have accepted it.");
  });
});

describe("a dry run", () => {
  const warning = { code: "rule/unknown-host", severity: "warning", pointer: "", message: "There is no such host." };

  test.each([
    ["a new rule", [], [], "none", "True Valid: It has no errors."],
    ["a change", [listeners, route()], [], "previous", "True Valid: It has no errors."],
    ["a doubtful one", [], [warning as RuleFindingView], "none", "True Warned: It has no errors, but a warning."],
  ] as const)("of %s", (_, texts, findings, want, said) => {
    const { status } = start(texts);
    const trial = status({ ...virtualService, owner: "store" }, findings);
    expect(trial).toMatchObject({ inForce: want, delivery: { targeted: 0, pending: 0 }, findings });
    expect(accepted(trial)).toBe(said);
    expect(inForce(trial)).toBe("Unknown Pending: Nothing was stored.");
  });
});

test("an answer is remembered until something changes", () => {
  const { status, three, directory, edit } = start([listeners, route()]);
  const [first] = three();
  const before = status(virtualService);
  expect(status(virtualService)).toBe(before);
  first?.take();
  const after = status(virtualService);
  expect(after).not.toBe(before);
  expect(after).toEqual(before);
  directory.set(loadRuleSet(emptyRuleSet, []));
  edit(listeners, route(), destinations);
  expect(status(virtualService)).not.toBe(after);
});

describe("who manages a rule", () => {
  const ofDirectory = (...states: readonly (readonly FileRead[])[]) =>
    managerIn(states.reduce(loadRuleSet, emptyRuleSet), virtualService.key);

  test.each<[string, readonly (readonly FileRead[])[], unknown]>([
    ["nobody", [[file("a.yaml", destinations)]], undefined],
    [
      "a document",
      [[file("a.yaml", destinations), file("b.yaml", route())]],
      { kind: "directory", file: "b.yaml", line: 2 },
    ],
    ["a broken document", [[file("b.yaml", route("a", "      x: 1"))]], { kind: "directory", file: "b.yaml", line: 2 }],
    [
      "the first of two",
      [[file("b.yaml", route()), file("c.yaml", route())]],
      { kind: "directory", file: "b.yaml", line: 2 },
    ],
    [
      "a file that cannot be read any more",
      [[file("b.yaml", route())], [{ kind: "problem", file: "b.yaml", problem: "missing", message: "It is gone." }]],
      { kind: "directory", file: "b.yaml", line: 2 },
    ],
    ["a file that was emptied", [[file("b.yaml", route())], [file("b.yaml", "")]], undefined],
  ])("%s", (_, states, want) => {
    expect(ofDirectory(...states)).toEqual(want);
  });
});
