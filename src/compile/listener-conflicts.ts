import { compareText } from "../base/compare-text.ts";
import { isServerFirst } from "../model/port.ts";
import type { Service } from "../model/service.ts";
import type { Claim, TcpMatch } from "./listener-claims.ts";
import type { Reachable } from "./scope.ts";

/** Connections that go to one service as they are. */
export interface TcpPart {
  readonly reachable: Reachable;
  readonly match: TcpMatch;
}

/** What claims on one address and port come to. */
export interface Settled {
  readonly http: { readonly kind: "shared" } | { readonly kind: "own"; readonly reachable: Reachable } | undefined;
  /** No two of equal matches. */
  readonly tcp: readonly TcpPart[];
  readonly lost: readonly Lost[];
}

/** A service that does not get what it asked for, because an older one has it. */
export interface Lost {
  readonly loser: Reachable;
  readonly winner: Reachable;
}

/** Istio's order: the oldest first, then by name, then by namespace. */
export const olderService = (a: Service, b: Service): number =>
  a.createdAt - b.createdAt || compareText(a.hostname, b.hostname) || compareText(a.namespace, b.namespace);

/**
 * Settles who gets what at one address and port:
 *
 * | there is | and comes | then |
 * | --- | --- | --- |
 * | HTTP | HTTP | they share one route table |
 * | HTTP | TCP, TLS | what is recognised as HTTP is routed, the rest is the other's |
 * | TCP, TLS | TCP, TLS | both, where they can be told apart by server name or network; else the older one |
 * | anything | not declared | as HTTP and as TCP |
 * | anything | another kind, on a port where servers speak first | the older one alone |
 */
export function settle(claims: readonly Claim[], port: number): Settled {
  const byAge =
    claims.length < 2 ? claims : claims.toSorted((a, b) => olderService(a.reachable.service, b.reachable.service));
  const { admitted, lost } = isServerFirst(port) ? ofOneKind(byAge) : { admitted: byAge, lost: [] };
  const own = admitted.filter(({ http }) => http === "own").map(({ reachable }) => reachable);
  const [firstOwn, ...otherOwn] = own;
  const tcp = settleTcp(admitted);
  return {
    http: admitted.some(({ http }) => http === "shared")
      ? { kind: "shared" }
      : firstOwn && { kind: "own", reachable: firstOwn },
    tcp: tcp.parts,
    lost: uniqueLosers([
      ...lost,
      ...otherOwn.flatMap((loser) => (firstOwn === undefined ? [] : [{ loser, winner: firstOwn }])),
      ...tcp.lost,
    ]),
  };
}

const uniqueLosers = (lost: readonly Lost[]): readonly Lost[] =>
  lost.length < 2 ? lost : [...new Map(lost.map((one) => [one.loser, one])).values()];

const kindOf = ({ http, tcp }: Claim): string => (http === undefined ? (tcp?.kind ?? "") : "http");

/** What would have to be recognised by bytes that nobody sends first is not admitted beside the oldest. */
function ofOneKind(claims: readonly Claim[]): { readonly admitted: readonly Claim[]; readonly lost: readonly Lost[] } {
  const [oldest] = claims;
  if (oldest === undefined) return { admitted: [], lost: [] };
  // Networks are told apart without a look at the bytes.
  const isAdmitted = (claim: Claim): boolean =>
    kindOf(claim) === kindOf(oldest) ||
    [claim, oldest].every(({ tcp }) => tcp !== undefined && tcp.kind !== "server-names");
  return {
    admitted: claims.filter(isAdmitted),
    lost: claims
      .filter((claim) => !isAdmitted(claim))
      .map(({ reachable }) => ({ loser: reachable, winner: oldest.reachable })),
  };
}

function settleTcp(claims: readonly Claim[]): { readonly parts: readonly TcpPart[]; readonly lost: readonly Lost[] } {
  const wishes = claims.flatMap(({ reachable, tcp, address }) =>
    tcp === undefined ? [] : [{ reachable, match: tcp, address }],
  );
  const [only] = wishes;
  // Alone at an address of its own it has no need of a name.
  if (only?.address !== undefined && wishes.length === 1) {
    return { parts: [{ reachable: only.reachable, match: { kind: "any" } }], lost: [] };
  }
  const owners = new Map<string, Reachable>();
  const parts: TcpPart[] = [];
  const lost: Lost[] = [];
  for (const { reachable, match } of wishes) {
    const free = itemsOf(match).filter((item) => !owners.has(item));
    const winner = itemsOf(match).flatMap((item) => owners.get(item) ?? [])[0];
    for (const item of free) owners.set(item, reachable);
    if (free.length > 0) parts.push({ reachable, match: limited(match, new Set(free)) });
    if (winner !== undefined) lost.push({ loser: reachable, winner });
  }
  return { parts, lost };
}

/** What only one chain of a listener may ask for. */
function itemsOf(match: TcpMatch): readonly string[] {
  if (match.kind === "any") return ["*"];
  return match.kind === "server-names" ? match.names : match.networks.map(({ key }) => key);
}

function limited(match: TcpMatch, items: ReadonlySet<string>): TcpMatch {
  if (match.kind === "any") return match;
  return match.kind === "server-names"
    ? { ...match, names: match.names.filter((name) => items.has(name)) }
    : { ...match, networks: match.networks.filter(({ key }) => items.has(key)) };
}
