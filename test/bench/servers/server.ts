import type { Resource } from "../../../src/envoy/resource-set.ts";
import type { MeshCompiler } from "../fixture/compiled.ts";
import type { Edit } from "../fixture/edits.ts";
import type { Group } from "../fixture/groups.ts";
import type { Mesh } from "../fixture/mesh.ts";

/** A server under test, from its start to its end. */
export interface BenchServer {
  readonly address: { readonly host: string; readonly port: number };
  readonly pids: () => readonly number[];
  /** The whole mesh, before the first proxy comes. */
  readonly load: (mesh: Mesh, groups: readonly Group[]) => Promise<void>;
  /** Proxies of other groups are about to come. */
  readonly expectGroups: (groups: readonly Group[]) => Promise<void>;
  /**
   * Makes ready what can be made ready, so that `send` is only the sending: the clock starts there. `send` resolves when the server
   * has taken the edit. `next` is the mesh with the edit in it.
   */
  readonly prepare: (edit: Edit, next: Mesh) => Prepared;
  /** Ends it at once and starts it again with what it had; resolves when proxies can be served. */
  readonly restart: () => Promise<void>;
  /** The version that it gives this resource in an incremental response: what a proxy says when it comes back. */
  readonly versionOf: (resource: Resource) => string;
  readonly stop: () => Promise<void>;
  /** From the start of the process until proxies can be served: the last one. */
  readonly readyMs: () => number;
  /** Only of our own server. */
  readonly inside?: Inside;
}

export interface Prepared {
  readonly send: () => Promise<void>;
}

/** What can only be seen from inside. */
export interface Inside {
  /** A look at its metrics, all of one moment: the sum of one over its labels. */
  readonly metrics: () => Promise<(name: string) => number>;
  /** How late the event loop was since this was last asked. */
  readonly loopDelay: () => Promise<LoopDelay>;
  /** What it holds, after its garbage was collected. */
  readonly held: () => Promise<Held>;
  readonly startProfile: () => Promise<void>;
  /** Where the CPU went since: the functions that took most of it themselves. */
  readonly stopProfile: () => Promise<readonly ProfileRow[]>;
}

export interface Held {
  readonly heapBytes: number;
  /** Buffers outside of the heap. */
  readonly bufferBytes: number;
  readonly timers: number;
}

export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface ProfileRow {
  readonly name: string;
  readonly place: string;
  readonly share: number;
}

/** How to get a server: each pair starts one anew. */
export interface ServerKind {
  readonly name: string;
  readonly start: (compiler: MeshCompiler) => Promise<BenchServer>;
  /** Can it tell proxies apart, so that each gets what its Sidecar rule imports? */
  readonly scopes: boolean;
  /** Does a restarted one have what it had? */
  readonly restarts: boolean;
  /** Does it give out exactly what our compiler makes? Then that is checked, byte for byte. */
  readonly exact: boolean;
}
