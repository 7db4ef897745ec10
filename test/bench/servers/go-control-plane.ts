import { createHash } from "node:crypto";
import { join } from "node:path";
import { memoize } from "../../../src/base/memo.ts";
import type { Resource } from "../../../src/envoy/resource-set.ts";
import { type Program, startProgram } from "../../conformance/targets/go-control-plane/program.ts";
import { buildGoProgram } from "../../support/go-program.ts";
import { type Delta, deltasOf, type MeshCompiler, noResources } from "../fixture/compiled.ts";
import { applyEdit, type Edit } from "../fixture/edits.ts";
import { type Group, speakerOf } from "../fixture/groups.ts";
import type { Mesh } from "../fixture/mesh.ts";
import { partAround } from "../fixture/part.ts";
import type { BenchType } from "../fixture/types.ts";
import { typeUrls } from "../load/requests.ts";
import { viewsOf } from "../session.ts";
import type { BenchServer, ServerKind } from "./server.ts";

export interface GoControlPlaneOptions {
  /** `snapshot`: the snapshot cache; `linear`: a linear cache for all endpoints, and one for each other type and workload. */
  readonly cache: "snapshot" | "linear";
  /** Proxies of one workload are alike and share a snapshot, or each has its own. */
  readonly keys: "shared" | "node";
}

/** envoyproxy/go-control-plane behind a program of ours, fed what our compiler makes of the mesh. Throws when it cannot be built. */
export async function createGoControlPlane(options: GoControlPlaneOptions): Promise<ServerKind> {
  const { cache, keys } = options;
  const sources = join(import.meta.dirname, "../peers/go-control-plane");
  const path = await buildGoProgram({ name: "go-control-plane", sources, cache: "bench" }, process.env);
  const parts = [
    "go-control-plane",
    ...(cache === "linear" ? ["linear"] : []),
    ...(keys === "node" ? ["by-node"] : []),
  ];
  return {
    name: parts.join(":"),
    scopes: true,
    restarts: true,
    exact: true,
    start: (compiler) => startPeer(path, options, compiler),
  };
}

/** A program that knows the resources of the mesh that it was told last: all of them again when it was restarted. */
async function startPeer(
  path: string,
  { cache, keys }: GoControlPlaneOptions,
  compiler: MeshCompiler,
): Promise<BenchServer> {
  const states = new Map<string, Group>();
  /** By content. */
  const versions = new Map<string, string>();
  let mesh: Mesh = { services: new Map(), rules: new Map() };
  let program: Program = startProgram(path);
  const start = (port: number) => program.ask({ op: "start", cache, keys, port });
  let begun = performance.now();
  const { port = 0 } = await start(0);
  let readyMs = performance.now() - begun;

  const put = async ({ resources, changes }: Update, nodes: Readonly<Record<string, readonly string[]>> = {}) => {
    const { versions: given = [] } = await program.ask({ op: "put", nodes, resources: resources.map(sent), changes });
    for (const [index, resource] of resources.entries()) versions.set(contentOf(resource), given[index] ?? "");
  };

  const putWhole = async (): Promise<void> => {
    const groups = [...states.values()];
    const nodes = Object.fromEntries(groups.map((group) => [group.key, group.nodes.map(({ id }) => id)]));
    const whole = groups.map((group) => ({
      group,
      deltas: deltasOf(noResources, compiler.resourcesOf(mesh, speakerOf(group))),
    }));
    await put(updateOf(whole), nodes);
    await program.ask({ op: "settle" });
  };

  const prepareAll = (next: Mesh): Update => {
    const groups = [...states.values()];
    // One state after the other: the compiler goes on from what it was asked last.
    const before = groups.map((group) => compiler.resourcesOf(mesh, speakerOf(group)));
    const after = groups.map((group) => compiler.resourcesOf(next, speakerOf(group)));
    return updateOf(
      groups.map((group, i) => ({ group, deltas: deltasOf(before[i] ?? noResources, after[i] ?? noResources) })),
    );
  };

  /**
   * A service whose instances change is the same whatever else is in the mesh, so that only its neighbourhood is compiled; and it is the
   * same for all who see it.
   */
  const prepareMove = (edit: MoveEdit): Update => {
    const before = partAround(mesh, edit.host);
    const after = applyEdit(before, edit);
    const views = [...viewsOf([...states.values()]).values()].flatMap((alike) =>
      alike
        .slice(0, 1)
        .map(speakerOf)
        .map((node) => ({ alike, node })),
    );
    const had = views.map(({ node }) => compiler.resourcesOf(before, node));
    return updateOf(
      views.flatMap(({ alike, node }, index) => {
        const deltas = deltasOf(had[index] ?? noResources, compiler.resourcesOf(after, node));
        const moved = deltas.filter(({ type }) => type === "EDS");
        return moved.length === 0 ? [] : alike.map((group) => ({ group, deltas: moved }));
      }),
    );
  };

  /** Of which resources what becomes of whom. All is the shortest list. */
  const updateOf = (found: readonly { readonly group: Group; readonly deltas: readonly Delta[] }[]): Update => {
    const named = new Map<string, Named>();
    const setFor = new Map<Resource, string[]>();
    const removedFor = new Map<string, string[]>();
    const note = <K>(map: Map<K, string[]>, of: K, key: string): void => {
      const keys = map.get(of);
      if (keys === undefined) map.set(of, [key]);
      else keys.push(key);
    };
    for (const { group, deltas } of found) {
      for (const { type, changed, removed } of deltas) {
        for (const resource of changed.values()) note(setFor, resource, group.key);
        for (const name of removed) {
          const text = `${type} ${name}`;
          named.set(text, { type: typeUrls[type], name });
          note(removedFor, text, group.key);
        }
      }
    }
    const resources = [...setFor.keys()];
    const changes = new Map<string, { keys?: readonly string[]; set: number[]; remove: Named[] }>();
    const changeFor = (keys: readonly string[]) => {
      const isAll = keys.length === states.size;
      const text = isAll ? "" : keys.join();
      const change = changes.get(text) ?? { ...(isAll ? {} : { keys }), set: [], remove: [] };
      changes.set(text, change);
      return change;
    };
    for (const [index, resource] of resources.entries()) changeFor(setFor.get(resource) ?? []).set.push(index);
    for (const [text, one] of named) changeFor(removedFor.get(text) ?? []).remove.push(one);
    return { resources, changes: [...changes.values()] };
  };

  const expectGroups = async (groups: readonly Group[]): Promise<void> => {
    for (const group of groups) states.set(group.key, group);
    await putWhole();
  };

  return {
    address: { host: "127.0.0.1", port },
    pids: () => [program.pid],
    load: async (first, groups) => {
      mesh = first;
      await expectGroups(groups);
    },
    expectGroups,
    prepare: (edit, next) => {
      const update = edit.kind === "put-instance" ? prepareMove(edit) : prepareAll(next);
      mesh = next;
      return {
        send: async () => {
          if (update.changes.length > 0) await put(update);
        },
      };
    },
    versionOf: (resource) => versions.get(contentOf(resource)) ?? "",
    restart: async () => {
      await program.kill();
      begun = performance.now();
      program = startProgram(path);
      await start(port);
      await putWhole();
      readyMs = performance.now() - begun;
    },
    readyMs: () => readyMs,
    stop: () => program.close(),
  };
}

type MoveEdit = Extract<Edit, { readonly kind: "put-instance" }>;

interface Named {
  readonly type: string;
  readonly name: string;
}

/** What the program is told: each resource once, and who gets which; without keys it is everybody. */
interface Update {
  readonly resources: readonly Resource[];
  readonly changes: readonly {
    readonly keys?: readonly string[];
    readonly set: readonly number[];
    readonly remove: readonly Named[];
  }[];
}

const sent = ({ type, name, bytes }: Resource) => ({
  type: typeUrls[type as BenchType],
  name,
  bytes: Buffer.from(bytes).toString("base64"),
});

const contentOf = memoize(
  ({ type, bytes }: Resource) => `${type} ${createHash("sha1").update(bytes).digest("base64")}`,
);
