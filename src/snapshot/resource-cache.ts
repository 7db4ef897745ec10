import type { Log } from "../base/log.ts";
import { memoize } from "../base/memo.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Signal } from "../base/signal.ts";
import type { Broken } from "../compile/broken.ts";
import type { Compiler } from "../compile/compile.ts";
import { type Profile, profileKey, profileOf } from "../compile/profile.ts";
import type { World } from "../compile/world.ts";
import { hasEqualVersions, type Reference, type ResourceSet } from "../envoy/resource-set.ts";
import type { ProxyNode } from "../model/proxy.ts";
import { keepLastGood } from "./keep-last-good.ts";
import { createRepairWatch } from "./repair-watch.ts";

export interface ResourceCacheInput {
  readonly world: Signal<World | undefined>;
  readonly compiler: Compiler;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** One resource set for each live profile: compiled once, shared by its proxies; what a later compile fails to make is kept. */
export interface ResourceCache {
  /** Follows what a proxy gets; the listener hears of each later set whose content differs. */
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
  /** The last set that compiled, completed by what was good before. */
  resources: ResourceSet | undefined;
  /** What could not be compiled of it. */
  broken: readonly Broken[];
  /** Why the last compile failed, when it did. */
  failure?: string | undefined;
  followers: number;
}

interface Follower {
  readonly node: ProxyNode;
  readonly listener: (resources: ResourceSet) => void;
  entry: Entry | undefined;
}

export function createResourceCache({ world, compiler, log, metrics }: ResourceCacheInput): ResourceCache {
  const entries = new Map<string, Entry>();
  const followers = new Set<Follower>();
  /** The last follower of each node. */
  const byNode = new Map<ProxyNode, Follower>();
  const compiles = metrics.counter("fairway_compiles_total", "Resource sets compiled, by outcome.", ["outcome"]);
  const noteRepairs = createRepairWatch(log, metrics);
  const profiles = metrics.gauge("fairway_profiles", "Profiles of the proxies that are connected.");
  /** Many proxies go from the same set to the same set. */
  const equalVersions = memoize(hasEqualVersions);
  /** The world that the entries were compiled from. */
  let compiled: World | undefined;

  const compileEntry = (entry: Entry, at: World): void => {
    try {
      const set = compiler.compile(at, entry.profile);
      entry.resources = keepLastGood(set, entry.resources);
      entry.broken = set.broken;
      entry.failure = undefined;
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
      entry = { profile, resources: follower.entry?.resources, broken: [], followers: 0 };
      entries.set(key, entry);
      compileEntry(entry, at);
    }
    leave(follower);
    follower.entry = entry;
    entry.followers++;
  };

  const leave = (follower: Follower): void => {
    if (follower.entry === undefined) return;
    follower.entry.followers--;
    follower.entry = undefined;
  };

  const dropUnused = (): void => {
    for (const [key, { followers: count }] of entries) if (count === 0) entries.delete(key);
    noteProfiles();
  };

  const noteProfiles = (): void => {
    profiles.set(entries.size);
    noteRepairs([...entries.values()].map(({ resources, broken }) => ({ repairs: resources?.repairs ?? [], broken })));
  };

  const refresh = (next: World | undefined): void => {
    if (next === undefined) return;
    const before = new Map([...followers].map((follower) => [follower, follower.entry?.resources]));
    for (const entry of entries.values()) compileEntry(entry, next);
    for (const follower of followers) {
      if (compiled === undefined || mayMoveProfile(compiled, next, follower.node)) place(follower, next);
    }
    compiled = next;
    dropUnused();
    for (const [follower, had] of before) {
      const has = follower.entry?.resources;
      if (has === undefined || has === had || !followers.has(follower)) continue;
      if (had === undefined || !equalVersions(had, has)) follower.listener(has);
    }
  };

  const unsubscribe = world.subscribe(refresh);
  refresh(world.value);

  return {
    watch: (node, listener) => {
      const follower: Follower = { node, listener, entry: undefined };
      followers.add(follower);
      byNode.set(node, follower);
      const known = entries.size;
      if (compiled !== undefined) place(follower, compiled);
      if (entries.size !== known) noteProfiles();
      return {
        current: () => follower.entry?.resources,
        close: () => {
          followers.delete(follower);
          if (byNode.get(node) === follower) byNode.delete(node);
          leave(follower);
          dropUnused();
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
      [...entries.values()].flatMap(({ profile, failure, broken }) =>
        failure === undefined
          ? broken.map(({ type, name, error }) => ({ profile, message: error.message, resource: { type, name } }))
          : [{ profile, message: failure }],
      ),
    close: unsubscribe,
  };
}

/** Profiles follow from rules, holds and settings; the catalog moves only those that hold what the proxy's instances listen on. */
function mayMoveProfile(before: World, next: World, { kind }: ProxyNode): boolean {
  const catalogMoved = kind === "proxyless" && before.catalog !== next.catalog;
  return catalogMoved || before.rules !== next.rules || before.holds !== next.holds || before.mesh !== next.mesh;
}
