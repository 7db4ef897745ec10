import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { memoize } from "../base/memo.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Signal } from "../base/signal.ts";
import type { Compiled } from "../compile/assembly.ts";
import type { Compiler } from "../compile/compile.ts";
import { asksAlike } from "../compile/distribution.ts";
import { addressesTouched } from "../compile/implemented.ts";
import { type Profile, profileKey, profileOf } from "../compile/profile.ts";
import type { World } from "../compile/world.ts";
import { hasEqualVersions, type Reference, type ResourceSet } from "../envoy/resource-set.ts";
import type { ProxyNode } from "../model/proxy.ts";
import { keepLastGood } from "./keep-last-good.ts";
import { createRepairWatch } from "./repair-watch.ts";
import { createTurns } from "./turns.ts";

export interface ResourceCacheInput {
  readonly world: Signal<World | undefined>;
  readonly compiler: Compiler;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How many proxies hear of new sets before others get their word; default 100. */
  readonly toldPerTurn?: number;
}

/** One resource set for each live profile: compiled once, shared by its proxies; what a later compile fails to make is kept. */
export interface ResourceCache {
  /** Follows what a proxy gets; the listener hears of later sets whose content differs: of the newest, when its turn comes. */
  readonly watch: (node: ProxyNode, listener: (resources: ResourceSet) => void) => Watch;
  /** What this proxy gets now, for reading; undefined until the first complete world, and while nothing could be compiled. */
  readonly resourcesOf: (node: ProxyNode) => ResourceSet | undefined;
  /** What a connected proxy is served; nothing is compiled for it. undefined for one that does not follow or has nothing yet. */
  readonly servedTo: (node: ProxyNode) => Served | undefined;
  /** What the last compile failed to make: profiles that are served what they had, and single resources of a profile. */
  readonly failures: () => readonly CompileFailure[];
  readonly close: () => void;
}

export interface CompileFailure {
  readonly profile: Profile;
  readonly message: string;
  /** The only one that failed; the rest of the profile's set is of the present world. */
  readonly resource?: Reference;
}

export interface Served {
  readonly resources: ResourceSet;
  /** The last compile failed: these are of an older world. */
  readonly stale: boolean;
}

/** A proxy's place in the cache. */
export interface Watch {
  /** undefined until the first complete world. */
  readonly current: () => ResourceSet | undefined;
  readonly close: () => void;
}

/** A live profile. */
interface Entry {
  readonly profile: Profile;
  readonly followers: Set<Follower>;
  /** What the last compile made, and what proxies get: that, completed by what was good before. */
  compiled: Compiled | undefined;
  resources: ResourceSet | undefined;
  /** Why the last compile made nothing. */
  failure?: string | undefined;
}

interface Follower {
  readonly node: ProxyNode;
  readonly listener: (resources: ResourceSet) => void;
  entry: Entry | undefined;
  /** What it was told last, or had from the start. */
  told: ResourceSet | undefined;
}

export function createResourceCache({
  world,
  compiler,
  clock,
  log,
  metrics,
  toldPerTurn = 100,
}: ResourceCacheInput): ResourceCache {
  const entries = new Map<string, Entry>();
  /** The last follower of each node. */
  const byNode = new Map<ProxyNode, Follower>();
  const byAddress = new Map<string, Set<Follower>>();
  const followersAt = (address: string): ReadonlySet<Follower> => byAddress.get(address) ?? nobody;
  const noteAddresses = (follower: Follower, isHere: boolean): void => {
    for (const address of follower.node.addresses) {
      const there = byAddress.get(address) ?? new Set();
      if (isHere) byAddress.set(address, there.add(follower));
      else if (there.delete(follower) && there.size === 0) byAddress.delete(address);
    }
  };
  /** Those without an entry: before the first complete world, or because no profile could be made. */
  const waiting = new Set<Follower>();
  const compiles = metrics.counter("fairway_compiles_total", "Resource sets compiled, by outcome.", ["outcome"]);
  const watchRepairs = createRepairWatch(log, metrics);
  const profiles = metrics.gauge("fairway_profiles", "Profiles of the proxies that are connected.");
  /** The world that the entries were compiled from. */
  let compiled: World | undefined;
  /** What is repaired for whom may be otherwise than noted. */
  let repairsMoved = true;

  const compileEntry = (entry: Entry, at: World): void => {
    try {
      const set = compiler.compile(at, entry.profile);
      entry.failure = undefined;
      if (set === entry.compiled) return;
      repairsMoved ||= set.repairs !== entry.compiled?.repairs || set.broken !== entry.compiled.broken;
      entry.resources = keepLastGood(set, entry.resources);
      entry.compiled = set;
      compiles.inc({ outcome: set.broken.length === 0 ? "ok" : "partial" });
    } catch (error) {
      entry.failure = error instanceof Error ? error.message : String(error);
      compiles.inc({ outcome: "failed" });
      const { profile } = entry;
      log.error({ err: error, profile, revision: at.revision }, "compile failed; the last good resources stay");
    }
  };

  /** A fault with one proxy is not to keep the others from what is new: it stays where it is. */
  const profileAt = (at: World, { node }: Follower): Profile | undefined => {
    try {
      return profileOf(at, node);
    } catch (error) {
      log.error(
        { err: error, proxy: node.id, revision: at.revision },
        "no profile can be made; the proxy stays in its last one",
      );
      return undefined;
    }
  };

  /** Moves a follower to the entry of its profile; a new entry starts with what the proxy has, in case it does not compile. */
  const place = (follower: Follower, at: World): void => {
    const profile = profileAt(at, follower);
    if (profile === undefined) return;
    const key = profileKey(profile);
    let entry = entries.get(key);
    if (entry === undefined) {
      entry = { profile, followers: new Set(), compiled: undefined, resources: follower.entry?.resources };
      entries.set(key, entry);
      compileEntry(entry, at);
    }
    if (entry === follower.entry) return;
    leave(follower);
    waiting.delete(follower);
    follower.entry = entry;
    entry.followers.add(follower);
  };

  const leave = (follower: Follower): void => {
    follower.entry?.followers.delete(follower);
    follower.entry = undefined;
  };

  const dropUnused = (): void => {
    for (const [key, { followers, compiled: set }] of entries) {
      if (followers.size > 0) continue;
      entries.delete(key);
      repairsMoved ||= set !== undefined && set.repairs.length + set.broken.length > 0;
    }
    note();
  };

  const note = (): void => {
    profiles.set(entries.size);
    if (!repairsMoved) return;
    repairsMoved = false;
    watchRepairs(
      [...entries.values()].map(({ resources, compiled: set }) => ({
        repairs: resources?.repairs ?? [],
        broken: set?.broken ?? [],
      })),
    );
  };

  const refresh = (next: World | undefined): void => {
    if (next === undefined) return;
    const before = compiled;
    const had = new Map(entries.values().map((entry) => [entry, entry.resources]));
    for (const entry of had.keys()) compileEntry(entry, next);
    const moved: Follower[] = [];
    for (const follower of mayMove(before, next)) {
      const { entry } = follower;
      place(follower, next);
      if (follower.entry !== entry) moved.push(follower);
    }
    compiled = next;
    dropUnused();
    const changed = [...had].flatMap(([entry, resources]) => (differs(resources, entry.resources) ? [entry] : []));
    turns.ask([...moved, ...changed.flatMap(({ followers }) => [...followers])]);
  };

  /**
   * Profiles follow from rules, holds and settings; the catalog moves those at whose addresses something else is implemented, and all where
   * its services ask for something else.
   */
  const mayMove = (before: World | undefined, next: World): Iterable<Follower> => {
    const isSame =
      before?.rules === next.rules &&
      before.holds === next.holds &&
      before.mesh === next.mesh &&
      asksAlike(before.catalog.services, next.catalog.services);
    if (!isSame || before === undefined) return [...waiting, ...allFollowers()];
    const touched = addressesTouched(before.catalog, next);
    return new Set([...waiting, ...[...touched].flatMap((address) => [...followersAt(address)])]);
  };

  const allFollowers = () => [...entries.values()].flatMap(({ followers }) => [...followers]);

  const turns = createTurns<Follower>(clock, toldPerTurn, (follower) => {
    const { told, listener, entry } = follower;
    follower.told = entry?.resources ?? told;
    if (follower.told !== undefined && differs(told, follower.told)) listener(follower.told);
  });

  const unsubscribe = world.subscribe(refresh);
  refresh(world.value);

  return {
    watch: (node, listener) => {
      const follower: Follower = { node, listener, entry: undefined, told: undefined };
      byNode.set(node, follower);
      noteAddresses(follower, true);
      const known = entries.size;
      waiting.add(follower);
      if (compiled !== undefined) place(follower, compiled);
      follower.told = follower.entry?.resources;
      if (entries.size !== known) note();
      return {
        current: () => follower.entry?.resources,
        close: () => {
          if (byNode.get(node) === follower) byNode.delete(node);
          noteAddresses(follower, false);
          waiting.delete(follower);
          turns.leave(follower);
          const isLast = follower.entry?.followers.size === 1;
          leave(follower);
          if (isLast) dropUnused();
        },
      };
    },
    resourcesOf: (node) => {
      if (compiled === undefined) return undefined;
      const entry = byNode.get(node)?.entry ?? entries.get(profileKey(profileOf(compiled, node)));
      return entry === undefined ? compiler.compileFor(compiled, node) : entry.resources;
    },
    servedTo: (node) => {
      const entry = byNode.get(node)?.entry;
      return entry?.resources && { resources: entry.resources, stale: entry.failure !== undefined };
    },
    failures: () =>
      [...entries.values()].flatMap(({ profile, failure, compiled: set }) =>
        failure === undefined
          ? (set?.broken ?? []).map(({ type, name, error }) => ({
              ...{ profile, message: error.message },
              resource: { type, name },
            }))
          : [{ profile, message: failure }],
      ),
    close: () => {
      unsubscribe();
      turns.close();
    },
  };
}

const nobody: ReadonlySet<Follower> = new Set();

const equalVersions = memoize(hasEqualVersions);

/** Many proxies go from the same set to the same set. */
const differs = (before: ResourceSet | undefined, after: ResourceSet | undefined): boolean =>
  after !== undefined && after !== before && (before === undefined || !equalVersions(before, after));
