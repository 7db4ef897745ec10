import { join } from "node:path";
import { type Program, startProgram } from "../../conformance/targets/go-control-plane/program.ts";
import { buildGoProgram } from "../../support/go-program.ts";
import { type Delta, deltasOf, type MeshCompiler, noResources, type Resources } from "../fixture/compiled.ts";
import { applyEdit, type Edit } from "../fixture/edits.ts";
import type { Mesh } from "../fixture/mesh.ts";
import { partAround } from "../fixture/part.ts";
import { typeUrls } from "../load/requests.ts";
import type { BenchServer, Group, ServerKind } from "./server.ts";

export interface GoControlPlaneOptions {
  /** `snapshot`: the snapshot cache; `linear`: one linear cache a type, which cannot tell proxies apart. */
  readonly cache: "snapshot" | "linear";
  /** Proxies that are alike share a snapshot, or each has its own. */
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
    scopes: cache === "snapshot",
    restarts: true,
    exact: true,
    start: (compiler) => startPeer(path, options, compiler),
  };
}

/** A program that knows its state: what it is told anew when it was restarted. */
async function startPeer(
  path: string,
  { cache, keys }: GoControlPlaneOptions,
  compiler: MeshCompiler,
): Promise<BenchServer> {
  const states = new Map<string, { readonly group: Group; resources: Resources }>();
  let mesh: Mesh = { services: new Map(), rules: new Map() };
  let program: Program = startProgram(path);
  const start = (port: number) => program.ask({ op: "start", cache, keys, port });
  let begun = performance.now();
  const { port = 0 } = await start(0);
  let readyMs = performance.now() - begun;

  const whole = () =>
    [...states.values()].map(({ group, resources }) => changeOf(group, deltasOf(noResources, resources)));

  const putWhole = async (): Promise<void> => {
    await program.ask({ op: "put", changes: whole() });
    await program.ask({ op: "settle" });
  };

  const prepareAll = (next: Mesh) => {
    const changes = [...states.values()].flatMap((state) => {
      const after = compiler.resourcesOf(next, nodeOf(state.group));
      const deltas = deltasOf(state.resources, after);
      state.resources = after;
      return deltas.length === 0 ? [] : [changeOf(state.group, deltas)];
    });
    return changes;
  };

  /** A service whose instances change is the same whatever else is in the mesh, so that only its neighbourhood is compiled. */
  const prepareMove = (edit: MoveEdit) => {
    const before = partAround(mesh, edit.host);
    const after = applyEdit(before, edit);
    return [...states.values()].flatMap((state) => {
      if (!state.resources.EDS.keys().some((name) => name.endsWith(`|${edit.host}`))) return [];
      const deltas = deltasOf(
        compiler.resourcesOf(before, nodeOf(state.group)),
        compiler.resourcesOf(after, nodeOf(state.group)),
      ).filter(({ type }) => type === "EDS");
      for (const { changed } of deltas) {
        state.resources = { ...state.resources, EDS: new Map([...state.resources.EDS, ...changed]) };
      }
      return deltas.length === 0 ? [] : [changeOf(state.group, deltas)];
    });
  };

  const expectGroups = async (groups: readonly Group[]): Promise<void> => {
    for (const group of groups) states.set(group.key, { group, resources: compiler.resourcesOf(mesh, nodeOf(group)) });
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
      const changes = edit.kind === "put-instance" ? prepareMove(edit) : prepareAll(next);
      mesh = next;
      return {
        send: async () => {
          if (changes.length > 0) await program.ask({ op: "put", changes });
        },
      };
    },
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

function nodeOf({ key, nodes: [first] }: Group) {
  if (first === undefined) throw new Error(`the group ${key} has no proxy`);
  return first;
}

const changeOf = ({ key, nodes }: Group, deltas: readonly Delta[]) => ({
  key,
  nodes: nodes.map(({ id }) => id),
  set: deltas.flatMap(({ type, changed }) =>
    [...changed].map(([name, bytes]) => ({ type: typeUrls[type], name, bytes: Buffer.from(bytes).toString("base64") })),
  ),
  remove: deltas.flatMap(({ type, removed }) => removed.map((name) => ({ type: typeUrls[type], name }))),
});
