import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Claim, TcpMatch } from "../../src/compile/listener-claims.ts";
import { olderService, type Settled, settle } from "../../src/compile/listener-conflicts.ts";
import { parseNetwork } from "../../src/model/network.ts";
import { isServerFirst } from "../../src/model/port.ts";
import { serviceKey } from "../../src/model/service.ts";
import { host, service } from "../support/mesh.ts";

/* Who gets what of one address and port: the table cell by cell, and what holds whatever is asked for. */

const kinds = ["http", "tcp", "tls", "auto", "networks"] as const;
type Kind = (typeof kinds)[number];

interface Wish {
  readonly kind: Kind;
  /** Also the order of names. */
  readonly name: string;
  /** Of the service; the least is the oldest. */
  readonly age: number;
  readonly namespace?: string;
  readonly networks?: readonly string[];
}

const networksOf = (texts: readonly string[]): TcpMatch => ({
  kind: "networks",
  networks: texts.flatMap((text) => parseNetwork(text) ?? []),
});

/** As `capturedClaims` makes them. */
function claimOf({ kind, name, age, namespace = "shop", networks = [] }: Wish, address: string | undefined): Claim {
  const hostname = host(name);
  const reachable = {
    service: { ...service(name).service, hostname, namespace, key: serviceKey(namespace, hostname), createdAt: age },
    port: { name: "main", number: 9000, protocol: "tcp" as const },
  };
  const asked = {
    http: { http: "shared" },
    tcp: { tcp: { kind: "any" } },
    tls: { tcp: { kind: "server-names", names: [name] } },
    auto: { http: address === undefined ? "shared" : "own", tcp: { kind: "any" } },
    networks: { tcp: networksOf(networks) },
  } as const satisfies Record<Kind, Partial<Claim>>;
  return { reachable, ...(address !== undefined && { address }), ...asked[kind] };
}

const nameOf = ({ service: { hostname } }: Claim["reachable"]): string => hostname;

function itemsOf(match: TcpMatch): readonly string[] {
  if (match.kind === "any") return ["*"];
  return match.kind === "server-names"
    ? match.names
    : match.networks.map(({ address, prefix }) => `${address}/${prefix}`);
}

/** In words: `http shared`, `tcp b *`, `a<b` for a that gives way to b. */
function told({ http, tcp, lost }: Settled): readonly string[] {
  return [
    ...(http === undefined ? [] : [http.kind === "own" ? `http ${nameOf(http.reachable)}` : "http shared"]),
    ...tcp.map(({ reachable, match }) => `tcp ${nameOf(reachable)} ${itemsOf(match).join(" ")}`),
    ...lost.map(({ loser, winner }) => `${nameOf(loser)}<${nameOf(winner)}`),
  ];
}

const old = (kind: Kind, ...networks: readonly string[]): Wish => ({ kind, name: "b", age: 1, networks });
const young = (kind: Kind, ...networks: readonly string[]): Wish => ({ kind, name: "a", age: 2, networks });

interface Cell {
  readonly what: string;
  readonly wishes: readonly Wish[];
  readonly want: readonly string[];
}

describe("at all addresses", () => {
  test.for<Cell>([
    { what: "HTTP, HTTP", wishes: [old("http"), young("http")], want: ["http shared"] },
    { what: "HTTP, TCP", wishes: [old("http"), young("tcp")], want: ["http shared", "tcp a *"] },
    { what: "TCP, HTTP", wishes: [old("tcp"), young("http")], want: ["http shared", "tcp b *"] },
    { what: "HTTP, TLS", wishes: [old("http"), young("tls")], want: ["http shared", "tcp a a"] },
    { what: "TCP, TCP", wishes: [old("tcp"), young("tcp")], want: ["tcp b *", "a<b"] },
    { what: "TLS, TLS", wishes: [old("tls"), young("tls")], want: ["tcp b b", "tcp a a"] },
    { what: "TCP, TLS", wishes: [old("tcp"), young("tls")], want: ["tcp b *", "tcp a a"] },
    { what: "auto, HTTP", wishes: [old("auto"), young("http")], want: ["http shared", "tcp b *"] },
    { what: "auto, TCP", wishes: [old("auto"), young("tcp")], want: ["http shared", "tcp b *", "a<b"] },
    { what: "TCP, auto", wishes: [old("tcp"), young("auto")], want: ["http shared", "tcp b *", "a<b"] },
    { what: "auto, auto", wishes: [old("auto"), young("auto")], want: ["http shared", "tcp b *", "a<b"] },
    { what: "auto, TLS", wishes: [old("auto"), young("tls")], want: ["http shared", "tcp b *", "tcp a a"] },
    {
      what: "TCP, networks",
      wishes: [old("tcp"), young("networks", "10.1.0.0/16")],
      want: ["tcp b *", "tcp a 10.1.0.0/16"],
    },
    {
      what: "networks that differ, one within the other",
      wishes: [old("networks", "10.1.0.0/16"), young("networks", "10.1.2.0/24")],
      want: ["tcp b 10.1.0.0/16", "tcp a 10.1.2.0/24"],
    },
    {
      what: "one network, written in two ways",
      wishes: [old("networks", "10.1.0.0/16"), young("networks", "10.1.2.3/16")],
      want: ["tcp b 10.1.0.0/16", "a<b"],
    },
    {
      what: "networks of which one is another's",
      wishes: [old("networks", "10.1.0.0/16"), young("networks", "10.1.0.0/16", "10.2.0.0/16")],
      want: ["tcp b 10.1.0.0/16", "tcp a 10.2.0.0/16", "a<b"],
    },
  ])("$what", ({ wishes, want }) => {
    const claims = wishes.map((wish) => claimOf(wish, undefined));
    expect(told(settle(claims, 9000))).toEqual(want);
    expect(told(settle(claims.toReversed(), 9000))).toEqual(want);
  });
});

describe("at one address", () => {
  test.for<Cell>([
    { what: "TCP alone", wishes: [old("tcp")], want: ["tcp b *"] },
    { what: "TLS alone needs no name", wishes: [old("tls")], want: ["tcp b *"] },
    { what: "auto alone", wishes: [old("auto")], want: ["http b", "tcp b *"] },
    { what: "TCP, TCP", wishes: [old("tcp"), young("tcp")], want: ["tcp b *", "a<b"] },
    { what: "TLS, TLS", wishes: [old("tls"), young("tls")], want: ["tcp b b", "tcp a a"] },
    { what: "TLS, TCP", wishes: [old("tls"), young("tcp")], want: ["tcp b b", "tcp a *"] },
    { what: "auto, auto: it is told once", wishes: [old("auto"), young("auto")], want: ["http b", "tcp b *", "a<b"] },
    { what: "TCP, auto", wishes: [old("tcp"), young("auto")], want: ["http a", "tcp b *", "a<b"] },
    { what: "auto, TCP", wishes: [old("auto"), young("tcp")], want: ["http b", "tcp b *", "a<b"] },
  ])("$what", ({ wishes, want }) => {
    const claims = wishes.map((wish) => claimOf(wish, "10.96.0.1"));
    expect(told(settle(claims, 9000))).toEqual(want);
    expect(told(settle(claims.toReversed(), 9000))).toEqual(want);
  });
});

describe.for([25, 53, 3306, 27_017])("on port %i, where servers speak first", (port) => {
  test.for<Cell>([
    { what: "HTTP, HTTP", wishes: [old("http"), young("http")], want: ["http shared"] },
    { what: "HTTP, TCP", wishes: [old("http"), young("tcp")], want: ["http shared", "a<b"] },
    { what: "TCP, HTTP", wishes: [old("tcp"), young("http")], want: ["tcp b *", "a<b"] },
    { what: "HTTP, TLS", wishes: [old("http"), young("tls")], want: ["http shared", "a<b"] },
    { what: "TCP, TLS", wishes: [old("tcp"), young("tls")], want: ["tcp b *", "a<b"] },
    { what: "TLS, TCP", wishes: [old("tls"), young("tcp")], want: ["tcp b b", "a<b"] },
    { what: "TCP, TCP", wishes: [old("tcp"), young("tcp")], want: ["tcp b *", "a<b"] },
    {
      what: "networks need no look",
      wishes: [old("networks", "10.1.0.0/16"), young("tcp")],
      want: ["tcp b 10.1.0.0/16", "tcp a *"],
    },
    {
      what: "networks, HTTP",
      wishes: [old("networks", "10.1.0.0/16"), young("http")],
      want: ["tcp b 10.1.0.0/16", "a<b"],
    },
  ])("$what", ({ wishes, want }) => {
    const claims = wishes.map((wish) => claimOf(wish, undefined));
    expect(told(settle(claims, port))).toEqual(want);
    expect(told(settle(claims.toReversed(), port))).toEqual(want);
  });
});

describe("the oldest first", () => {
  test.for([
    { what: "by age", winner: { name: "z", age: 1 }, loser: { name: "a", age: 2 } },
    { what: "of one age by host name", winner: { name: "a", age: 1 }, loser: { name: "z", age: 1 } },
    {
      what: "of one host name by namespace, as text",
      winner: { name: "a", age: 1, namespace: "B" },
      loser: { name: "a", age: 1, namespace: "a" },
    },
  ])("$what", ({ winner, loser }) => {
    const [first, second] = [winner, loser].map((one) => claimOf({ kind: "tcp", ...one }, undefined));
    if (first === undefined || second === undefined) throw new Error("unreachable");
    for (const claims of [
      [first, second],
      [second, first],
    ]) {
      expect(settle(claims, 9000).lost).toEqual([{ loser: second.reachable, winner: first.reachable }]);
    }
  });
});

const network = fc.constantFrom("10.1.0.0/16", "10.1.9.9/16", "10.1.2.0/24", "10.2.0.0/16", "fd00::/64");
const wish = fc.record({
  kind: fc.constantFrom(...kinds),
  name: fc.constantFrom("a", "b", "c", "d", "e"),
  namespace: fc.constantFrom("shop", "other"),
  age: fc.integer({ min: 0, max: 2 }),
  networks: fc.uniqueArray(network, { minLength: 1, maxLength: 3, selector: (text) => parseNetwork(text)?.key }),
});

/** Claims on one place, each of another service, in any order. */
const place = fc.record({
  port: fc.constantFrom(9000, 3306),
  address: fc.option(fc.constant("10.96.0.1"), { nil: undefined }),
  wishes: fc.uniqueArray(wish, { maxLength: 7, selector: ({ name, namespace }) => `${namespace}/${name}` }),
});

/** What can be asked for there: at an address only what has no other; where servers speak first nothing is undeclared. */
const claimsOf = ({ port, address, wishes }: { port: number; address: string | undefined; wishes: readonly Wish[] }) =>
  wishes
    .filter(({ kind }) => address === undefined || (kind !== "http" && kind !== "networks"))
    .filter(({ kind }) => kind !== "auto" || !isServerFirst(port))
    .map((one) => claimOf(one, address));

const cases = place.map((one) => ({ port: one.port, claims: claimsOf(one) }));

describe("whatever is asked for", () => {
  test("the order in which it is asked for does not matter", () => {
    const shuffled = cases.chain((one) =>
      fc.record({
        port: fc.constant(one.port),
        claims: fc.constant(one.claims),
        others: fc.shuffledSubarray(one.claims, { minLength: one.claims.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ port, claims, others }) => {
        expect(settle(others, port)).toEqual(settle(claims, port));
      }),
    );
  });

  test("no two parts ask for the same connections", () => {
    fc.assert(
      fc.property(cases, ({ port, claims }) => {
        const asked = settle(claims, port).tcp.map(({ match }) =>
          match.kind === "networks" ? match.networks.map(({ key }) => key) : itemsOf(match),
        );
        expect(asked.every((items) => items.length > 0)).toBe(true);
        expect(asked.flat()).toEqual([...new Set(asked.flat())]);
      }),
    );
  });

  test("each service has all that it asked for, or is told to have lost to an older one; never both", () => {
    fc.assert(
      fc.property(cases, ({ port, claims }) => {
        const settled = settle(claims, port);
        for (const claim of claims) {
          const losses = settled.lost.filter(({ loser }) => loser === claim.reachable);
          expect(losses.length).toBe(isServed(claim, settled) ? 0 : 1);
          for (const { loser, winner } of losses) {
            expect(olderService(winner.service, loser.service)).toBeLessThan(0);
            expect(claims.map(({ reachable }) => reachable)).toContain(winner);
          }
        }
        expect(settled.lost.length).toBe(new Set(settled.lost.map(({ loser }) => loser)).size);
      }),
    );
  });

  test("nobody has what was not asked for, and the oldest has everything", () => {
    fc.assert(
      fc.property(cases, ({ port, claims }) => {
        const settled = settle(claims, port);
        const [oldest] = claims.toSorted((a, b) => olderService(a.reachable.service, b.reachable.service));
        if (oldest !== undefined) expect(isServed(oldest, settled)).toBe(true);
        if (settled.http !== undefined) expect(claims.some(({ http }) => http === settled.http?.kind)).toBe(true);
        // Who is alone at an address of its own needs no name.
        const alone = settled.tcp.length === 1 && claims[0]?.address !== undefined;
        for (const { reachable, match } of settled.tcp) {
          const asked = claims.find((claim) => claim.reachable === reachable)?.tcp;
          if (!alone) expect(asked && itemsOf(asked)).toEqual(expect.arrayContaining([...itemsOf(match)]));
        }
      }),
    );
  });

  test("where servers speak first nothing has to be recognised beside something else", () => {
    fc.assert(
      fc.property(cases, ({ claims }) => {
        const { http, tcp } = settle(
          claims.filter(({ http: asked, tcp: also }) => asked === undefined || also === undefined),
          3306,
        );
        const looked = new Set(tcp.map(({ match }) => (match.kind === "server-names" ? "tls" : "tcp")));
        expect(looked.size + (http === undefined ? 0 : 1)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

function isServed({ reachable, http, tcp }: Claim, settled: Settled): boolean {
  const hasRequests =
    http === undefined ||
    (http === "shared"
      ? settled.http?.kind === "shared"
      : settled.http?.kind === "own" && settled.http.reachable === reachable);
  const part = settled.tcp.find((one) => one.reachable === reachable);
  const items = part === undefined ? [] : itemsOf(part.match);
  const hasBytes = tcp === undefined || items.includes("*") || itemsOf(tcp).every((item) => items.includes(item));
  return hasRequests && hasBytes;
}
