import type { JsonPointer } from "../base/json-pointer.ts";
import type { Resource, ResourceSet } from "../envoy/resource-set.ts";
import { resourceType, type TypeName } from "../envoy/resource-types.ts";
import type { ProxyNode } from "../model/proxy.ts";
import type { ProxyReceipts } from "./ledger.ts";
import { resourceState } from "./resource-state.ts";
import { type RulePart, rulePartsOf } from "./rule-index.ts";
import { type Standings, standing } from "./standings.ts";

/** A connected proxy with what it is to have. */
export interface Recipient extends ProxyReceipts {
  /** The present set of its profile. */
  readonly resources: ResourceSet;
  /** The set is of an older world, because nothing newer could be compiled: nobody can say that the proxy has all of a rule. */
  readonly stale: boolean;
}

/** How far a rule has come. Proxies are in the order of the recipients, those of one resource set together. */
export interface RuleDelivery {
  /** How many proxies have something of it in their present set. */
  readonly targeted: number;
  /** How many of these have accepted all of it, in its present version. */
  readonly acked: number;
  readonly pending: readonly ProxyNode[];
  /** Those that refused some of it. */
  readonly refused: readonly ProxyNode[];
  /** The last ones first. */
  readonly refusals: readonly RuleRefusal[];
}

/** A proxy's refusal of a resource that the rule gave something to. */
export interface RuleRefusal {
  readonly node: ProxyNode;
  readonly type: TypeName;
  readonly resource: string;
  /** The proxy's text. */
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** The narrowest part of the rule that holds all it gave to the resource. */
  readonly pointer: JsonPointer;
}

/**
 * How far each rule (`Kind/namespace/name`) has come with these proxies. Each rule is looked at when it is first asked for, and
 * each resource of a set once for all of its proxies: drop the function when the recipients or their records change.
 */
export function ruleDeliveries(recipients: readonly Recipient[], standings: Standings): (rule: string) => RuleDelivery {
  const audiences = [...Map.groupBy(recipients, ({ resources }) => resources)].map(([resources, members]) =>
    audienceOf(resources, members, standings),
  );
  return remembered((rule: string) => deliveryOf(rule, audiences));
}

/** All recipients of one resource set. */
interface Audience {
  readonly members: readonly Recipient[];
  readonly parts: ReturnType<typeof rulePartsOf>;
  /** Could the resource not be compiled? Then what stands there has not all of its rules, or older versions of them. */
  readonly isBroken: (resource: Resource) => boolean;
  /** How each member stands to a resource of the set. */
  readonly standingsTo: (resource: Resource) => Uint8Array;
}

function audienceOf(resources: ResourceSet, members: readonly Recipient[], standings: Standings): Audience {
  const look = standings.of(members);
  /** 1 for each member with which something that may name resources of the type is under way. */
  const usersUnderWay = remembered((type: TypeName): Uint8Array => {
    const users = resourceType(type).usedBy.flatMap((user) => [...resources.resources[user].values()]);
    const underWay = new Uint8Array(members.length);
    for (const user of users) {
      for (const [i, one] of look(user).entries()) if (one !== standing.accepted) underWay[i] = 1;
    }
    return underWay;
  });
  /** What is not asked for may be asked for yet while something that names it is under way: then it is pending. */
  const standingsTo = remembered((resource: Resource): Uint8Array => {
    const found = look(resource);
    if (!found.includes(standing.unasked)) return found;
    const underWay = usersUnderWay(resource.type);
    return found.map((one, i) => (one === standing.unasked && underWay[i] === 1 ? standing.pending : one));
  });
  const broken = resources.repairs.filter(({ kind }) => kind === "broken");
  const isBroken = ({ type, name }: Resource): boolean => broken.some((one) => one.type === type && one.name === name);
  return { members, parts: rulePartsOf(resources), isBroken, standingsTo };
}

function remembered<K, V>(fn: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const found = known.get(key) ?? fn(key);
    known.set(key, found);
    return found;
  };
}

function deliveryOf(rule: string, audiences: readonly Audience[]): RuleDelivery {
  const pending: ProxyNode[] = [];
  const refused: ProxyNode[] = [];
  const refusals: RuleRefusal[] = [];
  let acked = 0;
  for (const { members, parts, isBroken, standingsTo } of audiences) {
    const ofRule = parts.get(rule);
    if (ofRule === undefined) continue;
    const rows = ofRule.map(({ resource }) => standingsTo(resource));
    const isPartial = ofRule.some(({ resource }) => isBroken(resource));
    for (const [i, member] of members.entries()) {
      const worst = worstOf(rows, i);
      if (worst === standing.refused) {
        refused.push(member.node);
        refusals.push(...refusalsOf(member, ofRule));
      } else if (worst === standing.pending || (worst === standing.accepted && (member.stale || isPartial))) {
        pending.push(member.node);
      } else if (worst === standing.accepted) acked++;
    }
  }
  refusals.sort((a, b) => b.atMs - a.atMs);
  return { targeted: acked + pending.length + refused.length, acked, pending, refused, refusals };
}

function worstOf(rows: readonly Uint8Array[], index: number): number {
  let worst: number = standing.unknown;
  for (const row of rows) worst = Math.max(worst, row[index] ?? standing.unknown);
  return worst;
}

function refusalsOf({ node, receipt }: Recipient, parts: readonly RulePart[]): readonly RuleRefusal[] {
  return parts.flatMap(({ resource, pointer }) => {
    const { type, name } = resource;
    const receipts = receipt(type, name);
    if (resourceState(resource, receipts) !== "refused" || receipts?.refused === undefined) return [];
    const { reason, atMs } = receipts.refused;
    return [{ node, type, resource: name, reason, atMs, pointer }];
  });
}
