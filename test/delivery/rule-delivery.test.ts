import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMetrics } from "../../src/base/metrics.ts";
import type { Entry } from "../../src/delivery/history.ts";
import { createLedger, type Ledger } from "../../src/delivery/ledger.ts";
import { resourceState } from "../../src/delivery/resource-state.ts";
import { type Recipient, ruleDeliveries } from "../../src/delivery/rule-delivery.ts";
import { rulePartsOf } from "../../src/delivery/rule-index.ts";
import { createStandings } from "../../src/delivery/standings.ts";
import { createResourceSet, type Resource, type ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { sidecar } from "../support/mesh.ts";

/** `CDS a=1 < x y`: the resource `a` in version 1, with parts of the rules `x` and `y`. */
function resource(text: string): Resource & { readonly read: () => number } {
  const [, type = "", name = "", version = "", rules = ""] = /^(\w+) (\w+)=(\w+)(?: <(.*))?$/.exec(text) ?? [];
  let read = 0;
  return {
    type: type as TypeName,
    name,
    version,
    bytes: new Uint8Array(),
    references: [],
    read: () => read,
    provenance: () => {
      read++;
      return rules
        .split(" ")
        .filter((rule) => rule !== "")
        .flatMap((rule) =>
          [0, 1].map((i) => ({
            pointer: `/${i}`,
            origins: [{ kind: "rule" as const, rule, pointer: `/spec/http/0/route/${i}` }],
          })),
        );
    },
  };
}

const set = (...texts: readonly string[]): ResourceSet => createResourceSet(texts.map(resource));

interface Bench {
  readonly ledger: Ledger;
  readonly advance: (ms: number) => void;
  /** Sends `CDS a=1 b=1` and gives back its nonce. */
  readonly send: (proxy: string, text: string) => string;
  readonly accept: (proxy: string, text: string) => void;
  readonly refuse: (proxy: string, text: string, reason: string) => void;
}

function start(...proxies: readonly string[]): Bench {
  const clock = createFakeClock(0);
  const ledger = createLedger({ clock, metrics: createMetrics() });
  for (const name of proxies) ledger.opened({ stream: name, node: sidecar(name), variant: "delta", peer: "" });
  let nonces = 0;
  const parse = (text: string) => {
    const [type = "", ...parts] = text.split(" ");
    return { type: type as TypeName, parts: parts.map((part) => part.split("=")) };
  };
  const send = (proxy: string, text: string): string => {
    const nonce = `n${nonces++}`;
    const { type, parts } = parse(text);
    ledger.sent(
      proxy,
      type,
      nonce,
      parts.map(([name = "", version]) => ({ name, ...(version !== undefined && { version }) })),
    );
    return nonce;
  };
  return {
    ledger,
    advance: clock.advance,
    send,
    accept: (proxy, text) => ledger.accepted(proxy, parse(text).type, send(proxy, text)),
    refuse: (proxy, text, reason) => ledger.refused(proxy, parse(text).type, send(proxy, text), reason),
  };
}

const recipients = (ledger: Ledger, resources: ResourceSet, stale = false): readonly Recipient[] =>
  ledger.connected().map((proxy) => ({ ...proxy, resources, stale }));

/** `acked/targeted`, and who is pending or refused. */
function told(ledger: Ledger, resources: ResourceSet, rule = "x", stale = false): string {
  const { targeted, acked, pending, refused } = ruleDeliveries(
    recipients(ledger, resources, stale),
    createStandings(ledger),
  )(rule);
  const names = (nodes: typeof pending, word: string) =>
    nodes.length === 0 ? "" : ` ${word}:${nodes.map(({ name }) => name)}`;
  return `${acked}/${targeted}${names(pending, "pending")}${names(refused, "refused")}`;
}

describe("one proxy", () => {
  const acceptAll = ({ accept }: Bench) => {
    accept("p", "CDS a=1");
    accept("p", "LDS l=1");
    accept("p", "RDS r=1");
  };

  test.each<[string, string, (bench: Bench) => void, string]>([
    ["nothing of it in the set", "CDS a=1 <y", acceptAll, "0/0"],
    ["accepted in the present version", "CDS a=1 <x", acceptAll, "1/1"],
    ["several, all accepted", "CDS a=1 <x; LDS l=1 <x y; RDS r=1 <x", acceptAll, "1/1"],
    ["a cluster that was not sent yet", "CDS b=1 <x", acceptAll, "0/1 pending:p"],
    ["a newer version that was not sent yet", "CDS a=2 <x", acceptAll, "0/1 pending:p"],
    ["endpoints that nobody asks for", "EDS e=1 <x; CDS a=1", acceptAll, "0/0"],
    ["endpoints that nobody asks for, beside an accepted cluster", "EDS e=1 <x; CDS a=1 <x", acceptAll, "1/1"],
    ["routes whose listener is on its way may be asked for yet", "RDS q=1 <x; LDS l=2", acceptAll, "0/1 pending:p"],
    ["routes that were asked for and are new", "RDS r=2 <x; LDS l=1", acceptAll, "0/1 pending:p"],
    [
      "sent and not answered",
      "CDS a=2 <x",
      (bench) => {
        acceptAll(bench);
        bench.send("p", "CDS a=2");
      },
      "0/1 pending:p",
    ],
    [
      "back to the accepted version while another one is on its way",
      "CDS a=1 <x",
      (bench) => {
        acceptAll(bench);
        bench.send("p", "CDS a=2");
      },
      "0/1 pending:p",
    ],
    [
      "back to the accepted version while its removal is on its way",
      "CDS a=1 <x",
      (bench) => {
        acceptAll(bench);
        bench.send("p", "CDS a");
      },
      "0/1 pending:p",
    ],
    ["refused", "CDS a=2 <x", ({ refuse }) => refuse("p", "CDS a=2", "bad"), "0/1 refused:p"],
    ["another version was refused", "CDS a=3 <x", ({ refuse }) => refuse("p", "CDS a=2", "bad"), "0/1 pending:p"],
    [
      "only shared the response with what is at fault",
      "CDS b=1 <x",
      ({ refuse }) => refuse("p", "CDS a=2 b=1", "a is bad"),
      "0/1 pending:p",
    ],
    [
      "accepted before it shared a refused response",
      "CDS a=1 <x",
      (bench) => {
        acceptAll(bench);
        bench.refuse("p", "CDS a=1 b=2", "b is bad");
      },
      "1/1",
    ],
    [
      "one refused, one pending: refused",
      "CDS a=2 <x; CDS b=1 <x",
      ({ refuse }) => refuse("p", "CDS a=2", "bad"),
      "0/1 refused:p",
    ],
    [
      "accepted after it was refused",
      "CDS a=2 <x",
      ({ refuse, accept }) => {
        refuse("p", "CDS a=2", "bad");
        accept("p", "CDS a=2");
      },
      "1/1",
    ],
    [
      "no longer asked for",
      "RDS r=1 <x; LDS l=1",
      (bench) => {
        acceptAll(bench);
        bench.ledger.dropped("p", "RDS", ["r"]);
      },
      "0/0",
    ],
    ["gone", "CDS a=1 <x", ({ ledger }) => ledger.closed("p"), "0/0"],
    [
      "already held by a proxy that came back",
      "CDS a=1 <x",
      ({ ledger }) => ledger.resumed("p", "CDS", [{ name: "a", version: "1" }]),
      "1/1",
    ],
  ])("%s", (_, texts, act, want) => {
    const bench = start("p");
    act(bench);
    expect(told(bench.ledger, set(...texts.split("; ")))).toBe(want);
  });
});

test("of two streams the newer one counts", () => {
  const { ledger, accept, send } = start("p");
  accept("p", "CDS a=1");
  ledger.opened({ stream: "p2", node: sidecar("p"), variant: "delta", peer: "" });
  expect(told(ledger, set("CDS a=1 <x"))).toBe("1/1");
  send("p2", "CDS a=1");
  expect(told(ledger, set("CDS a=1 <x"))).toBe("0/1 pending:p");
  ledger.closed("p2");
  expect(told(ledger, set("CDS a=1 <x"))).toBe("1/1");
});

test("a set that is not the present one confirms nothing, but a refusal stays one", () => {
  const { ledger, accept, refuse } = start("p", "q");
  accept("p", "CDS a=1");
  refuse("q", "CDS a=1", "bad");
  expect(told(ledger, set("CDS a=1 <x"), "x", true)).toBe("0/2 pending:p refused:q");
});

test("what could not be compiled is not all of a rule, whatever was accepted; other rules are not concerned", () => {
  const { ledger, accept } = start("p");
  accept("p", "CDS a=1 b=1");
  const resources = createResourceSet(["CDS a=1 <x", "CDS b=1 <x y"].map(resource), [
    { type: "CDS", name: "a", kind: "broken", reason: "bad luck" },
    { type: "CDS", name: "b", kind: "missing", reason: "nobody has it" },
  ]);
  expect(told(ledger, resources, "x")).toBe("0/1 pending:p");
  expect(told(ledger, resources, "y")).toBe("1/1");
});

test("several proxies and sets", () => {
  const { ledger, accept, refuse } = start("p", "q", "r", "s");
  const [one, other] = [set("CDS a=1 <x", "LDS l=1 <y"), set("CDS b=1 <x")];
  for (const proxy of ["p", "q"]) accept(proxy, "CDS a=1");
  accept("p", "LDS l=1");
  refuse("s", "CDS b=1", "bad");
  const all = ledger
    .connected()
    .map((proxy) => ({ ...proxy, resources: "pq".includes(proxy.node.name) ? one : other, stale: false }));
  const of = ruleDeliveries(all, createStandings(ledger));
  expect(of("x")).toMatchObject({ targeted: 4, acked: 2, pending: [{ name: "r" }], refused: [{ name: "s" }] });
  expect(of("y")).toMatchObject({ targeted: 2, acked: 1, pending: [{ name: "q" }], refused: [] });
  expect(of("nobody")).toEqual({ targeted: 0, acked: 0, pending: [], refused: [], refusals: [] });
  expect(of("x")).toBe(of("x"));
});

test("refusals: the last ones first, with the narrowest part of the rule", () => {
  const { ledger, refuse, advance } = start("p", "q");
  refuse("p", "CDS a=1 b=1", "no good");
  advance(5);
  refuse("q", "CDS a=1", "bad: a");
  const resources = set("CDS a=1 <x", "CDS b=1 <x y");
  const { refusals } = ruleDeliveries(recipients(ledger, resources), createStandings(ledger))("x");
  const part = { type: "CDS", pointer: "/spec/http/0/route" };
  expect(refusals).toEqual([
    { ...part, node: sidecar("q"), resource: "a", reason: "bad: a", atMs: 5 },
    { ...part, node: sidecar("p"), resource: "a", reason: "no good", atMs: 0 },
    { ...part, node: sidecar("p"), resource: "b", reason: "no good", atMs: 0 },
  ]);
});

test("what a rule gave is read once for each resource, whatever sets share it", () => {
  const [a, b, c] = [resource("CDS a=1 <x"), resource("CDS b=1 <x"), resource("CDS b=2 <y")];
  const first = createResourceSet([a, b]);
  const parts = rulePartsOf(first);
  expect(rulePartsOf(first)).toBe(parts);
  expect(rulePartsOf(createResourceSet([a, c])).get("x")).toEqual([{ resource: a, pointer: "/spec/http/0/route" }]);
  expect([a.read(), b.read(), c.read()]).toEqual([1, 1, 1]);
});

/** Nothing moves in it. */
const still: Pick<Ledger, "subscribeMoves"> = { subscribeMoves: () => () => true };

describe("any records", () => {
  const types = resourceTypes.map(({ short }) => short);
  const version = fc.constantFrom("1", "2");
  const entry: fc.Arbitrary<Entry> = fc.record(
    {
      name: fc.constant("n"),
      leaving: fc.boolean(),
      sent: version,
      accepted: version,
      refused: fc.record({ version, atMs: fc.nat(9), reason: fc.constant("bad"), suspect: fc.boolean() }),
    },
    { requiredKeys: ["name", "leaving", "sent"] },
  );
  const part = fc.record({
    type: fc.constantFrom(...types),
    version,
    rules: fc.subarray(["x", "y"]),
    of: fc.array(fc.option(entry, { nil: undefined }), { minLength: 4, maxLength: 4 }),
  });

  test("each proxy is counted once, and looking at all of a set at once changes nothing", () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.constantFrom("x", "y"), (parts, rule) => {
        const resources = createResourceSet(
          parts.map((one, i) => resource(`${one.type} r${i}=${one.version} <${one.rules.join(" ")}`)),
        );
        const members = [0, 1, 2, 3].map(
          (p): Recipient => ({
            node: sidecar(`p${p}`),
            resources,
            stale: p === 3,
            receipt: (_type, name) => parts[Number(name.slice(1))]?.of[p],
            record: () => undefined,
          }),
        );
        const forgetful = createStandings(still, 64);
        const together = ruleDeliveries(members, forgetful)(rule);
        const alone = members.map((member) => ruleDeliveries([member], createStandings(still))(rule));
        const sum = (of: (one: typeof together) => number) => alone.reduce((total, one) => total + of(one), 0);
        expect(together.targeted).toBe(together.acked + together.pending.length + together.refused.length);
        expect(together.targeted).toBe(sum(({ targeted }) => targeted));
        expect(together.acked).toBe(sum(({ acked }) => acked));
        expect(together.refused).toEqual(alone.flatMap(({ refused }) => refused));
        for (const [p, one] of alone.entries()) {
          const states = parts.flatMap(({ rules, ...each }) =>
            rules.includes(rule) ? [resourceState(each, each.of[p])] : [],
          );
          expect(one.refused.length === 1).toBe(states.includes("refused"));
          if (one.acked === 1) expect(new Set(states).difference(new Set(["accepted", undefined]))).toEqual(new Set());
          if (states.every((state) => state === undefined)) expect(one.acked).toBe(0);
        }
      }),
    );
  });
});
