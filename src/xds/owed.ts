import { memoize } from "../base/memo.ts";
import type { Resource, ResourceMap } from "../envoy/resource-set.ts";
import { byName, difference, isLeftOver, type VersionMap } from "./resource-map.ts";
import type { AskedType } from "./stream-state.ts";
import { covers, type Subscription } from "./subscription.ts";

/** What one type of a stream lacks to be up to date. */
export interface Owed {
  /** New, changed or asked for; each once, by name. */
  readonly resources: readonly Resource[];
  /** Held by the proxy, and gone. */
  readonly removed: readonly string[];
  /** Asked for, and not there. */
  readonly absent: readonly string[];
  /** Asked for, and not there because it could not be made. */
  readonly broken: readonly string[];
  /** Asked for, or gone, and about to come (back): the answer waits. */
  readonly pending: ReadonlySet<string>;
}

/** `offered` is what may be sent now, `target` what will be; `broken` are names that exist for all we know, and could not be made. */
export const owedTo = (
  { subscription, held, asked }: AskedType,
  offered: ResourceMap,
  target: ResourceMap,
  broken: ReadonlySet<string>,
): Owed => owed(held, offered, subscription, asked, target, broken);

/** Remembered by identity: streams of one profile that ask alike are owed the same. */
const owed = memoize(
  (
    held: VersionMap,
    offered: ResourceMap,
    subscription: Subscription,
    asked: ReadonlySet<string>,
    target: ResourceMap,
    broken: ReadonlySet<string>,
  ): Owed => {
    const { changed, removed } = difference(held, offered);
    const found = new Map<string, Resource>();
    const missing: string[] = [];
    for (const name of asked) {
      const resource = offered.get(name);
      if (resource !== undefined && isForAsking(subscription, resource)) found.set(name, resource);
      else if (covers(subscription, name)) missing.push(name);
    }
    const gone = removed.filter((name) => covers(subscription, name, held.get(name)?.onDemand));
    const coming = [...missing, ...gone].filter((name) => isComing(subscription, target.get(name)));
    const pending = new Set(coming);
    return {
      resources: withAsked(
        changed.filter((resource) => isForAsking(subscription, resource)),
        found,
      ),
      removed: gone.filter((name) => !pending.has(name)),
      absent: missing.filter((name) => !pending.has(name) && !broken.has(name)),
      broken: missing.filter((name) => !pending.has(name) && broken.has(name)),
      pending,
    };
  },
);

/** May this be sent to who asks so? What only the client has the body of cannot. */
const isForAsking = (subscription: Subscription, resource: Resource): boolean =>
  covers(subscription, resource.name, resource.onDemand) && !isLeftOver(resource);

const isComing = (subscription: Subscription, resource: Resource | undefined): boolean =>
  resource !== undefined && isForAsking(subscription, resource);

/** The union, in the order of names: equal content must make equal bytes on every stream. */
function withAsked(changed: readonly Resource[], asked: ReadonlyMap<string, Resource>): readonly Resource[] {
  if (asked.size === 0) return changed;
  const all = new Map(changed.map((resource) => [resource.name, resource]));
  for (const [name, resource] of asked) all.set(name, resource);
  return [...all.values()].sort(byName);
}
