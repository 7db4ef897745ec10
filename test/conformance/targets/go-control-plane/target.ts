import { createHash } from "node:crypto";
import { resourceTypes } from "../../../../src/envoy/resource-types.ts";
import type { RawResource } from "../../resources.ts";
import { type CaseState, createState } from "../../state.ts";
import { allTypes, allVariants } from "../../variants.ts";
import { type Instance, type Target, unable } from "../target.ts";
import { type Program, startProgram } from "./program.ts";

/** `plain`, `ordered` and `no-legacy-wildcard`: the snapshot cache; `ordered` with its ADS flag and ordered answers. `linear`: one linear cache a type. */
export const configs = ["plain", "ordered", "no-legacy-wildcard", "linear"] as const;

export type Config = (typeof configs)[number];

/** envoyproxy/go-control-plane v0.14.0 behind a program of ours. `path` is the built program's. */
export function createGoControlPlaneTarget(config: Config, path: string): Target {
  const program = startProgram(path);
  return {
    name: `go-control-plane:${config}`,
    can: new Set([
      "state",
      "touch",
      "hold",
      "restart",
      "replica",
      "gauges",
      "short-times",
      "raw",
      ...(config === "linear" ? [] : (["ttl"] as const)),
    ]),
    variants: new Set(allVariants),
    types: new Set(allTypes),
    unchecked: {
      references: "the library gives out what it was given; what is missing is its user's fault",
      "stable-versions":
        config === "linear"
          ? "a linear cache counts its changes and does not look at content"
          : "version_info is that of all resources of the type, of which a response has a part",
    },
    times: { quietMs: 150, withinMs: 3_000 },
    start: ({ held = false } = {}) => startInstance(program, config, held),
    close: program.close,
  };
}

async function startInstance(program: Program, config: Config, held: boolean): Promise<Instance> {
  const state = createState();
  const first = await startServer(program, config, held);
  const servers = [first];
  let complete = !held;
  const publish = async (): Promise<void> => {
    if (!complete) return;
    for (const { server } of servers) await program.ask({ op: "state", server, types: typesOf(state) });
  };
  const instanceOf = ({ server, address }: Server): Instance => ({
    address,
    change: async (change) => {
      state.apply(change);
      await publish();
    },
    touch: publish,
    release: async () => {
      complete = true;
      await publish();
    },
    drain: unable("drain"),
    restart: async () => {
      await program.ask({ op: "restart", server });
    },
    replica: async () => {
      const replica = await startServer(program, config, !complete);
      servers.push(replica);
      await publish();
      return instanceOf(replica);
    },
    fail: unable("fail"),
    stats: async () => {
      const { streams = 0 } = await program.ask({ op: "stats", server });
      return { streams, watches: 0, nacks: 0, nodeChanges: 0, responses: 0, oversized: 0, bytesInFlight: 0 };
    },
    receipt: unable("receipts"),
    loads: unable("load-totals"),
    close: async () => {
      for (const one of servers.splice(0)) await program.ask({ op: "stop", server: one.server });
    },
  });
  return instanceOf(first);
}

interface Server {
  readonly server: number;
  readonly address: string;
}

async function startServer(program: Program, config: Config, held: boolean): Promise<Server> {
  const { server = 0, port = 0 } = await program.ask({ op: "start", config, held });
  return { server, address: `127.0.0.1:${port}` };
}

/** Everything, by type URL; a type's version is a hash of all of it. */
function typesOf(state: CaseState): object {
  const all = state.resources();
  return Object.fromEntries(
    resourceTypes.map(({ short, url }) => {
      const mine = all.filter(({ type }) => type === short).sort((a, b) => (a.name < b.name ? -1 : 1));
      return [
        url,
        {
          version: versionOf(mine),
          resources: mine.map(({ name, bytes, ttlMs = 0 }) => ({
            name,
            ttlMs,
            bytes: Buffer.from(bytes).toString("base64"),
          })),
        },
      ];
    }),
  );
}

function versionOf(resources: readonly RawResource[]): string {
  if (resources.length === 0) return "";
  const hash = createHash("sha1");
  for (const { name, bytes } of resources) hash.update(name).update("\0").update(bytes);
  return hash.digest("base64url");
}
