import { parseArgs } from "node:util";
import type { Variant } from "./load/skim.ts";
import { workloadIds } from "./workloads/all.ts";
import { WrongUse } from "./wrong-use.ts";

/** What a run of the bench is asked to do. */
export interface BenchOptions {
  readonly services: number;
  readonly instances: number;
  readonly proxies: number;
  readonly pairs: number;
  readonly variants: readonly Variant[];
  readonly workloads: ReadonlySet<string>;
  readonly servers: ReadonlySet<string>;
  readonly full: boolean;
  /** One size; otherwise all that `--full` measures. */
  readonly isSized: boolean;
  /** What the proxies are beside: copies of one application that only calls others, or the services, each a workload of its own. */
  readonly beside: "clients" | "services";
  readonly gcpCache: "snapshot" | "linear";
  readonly gcpKeys: "shared" | "node";
  readonly cpuProfile: boolean;
  readonly json: string | undefined;
  readonly picture: string | undefined;
  readonly outside: OutsidePeer | undefined;
}

/** A server that somebody else started, and the folder of documents that it reads. */
export interface OutsidePeer {
  readonly host: string;
  readonly port: number;
  readonly documents: string;
  readonly pid: number;
}

export const help = `Usage: npm run bench -- [options]
       npm run bench -- api
       npm run bench -- explain
       npm run bench -- kubernetes [--help]
       npm run bench -- soak [--help]

Puts fairway and go-control-plane through the same workloads, one after the other in pairs, and prints what each one took.
Exits with 1 when a row that must hold does not. Without options: about 25 minutes on two cores.

Options:
  --services N          services of the mesh, ten instances each (default 1000)
  --proxies N           proxies that are connected (default 1000)
  --pairs N             how often each server has its turn (default 3)
  --variant V           delta, sotw or both (default both)
  --workload LIST       of ${workloadIds.join(", ")} (default all)
  --servers LIST        of fairway, go-control-plane (default both), and fairway-two: two processes of it on one port,
                        each with half of the proxies, as two threads would have them
  --beside WHAT         clients: all proxies are beside copies of one application (in the scoped mesh, of one in each
                        namespace); services: beside instances of the mesh's own services, so that there are as many
                        workloads as services, each with a configuration of its own (default clients)
  --gcp-cache KIND      snapshot or linear (default snapshot)
  --gcp-keys KEYS       shared: proxies that are alike share a snapshot; node: each has its own (default shared)
  --full                long runs: 50 lone changes, 60 s of churn, 5 pairs of each variant; where no size
                        is given, at 1000, 5000 and 10000 services and 100, 1000 and 5000 proxies
  --cpu-prof            where fairway's CPU went in each workload: self time of the top 20 functions
  --json FILE           everything measured, as JSON
  --svg FILE            the ratios as a picture
  --peer-xds HOST:PORT  another server, started by you, instead of go-control-plane; with:
  --peer-docs DIR         where it reads Istio's documents from (written by the bench)
  --peer-pid PID          its process, for its CPU and memory
  -h, --help            show this help

Examples:
  # a quick look at storms and lone changes
  npm run bench -- --services 100 --proxies 50 --pairs 1 --workload W1,W2a --variant delta

  # where the CPU of a storm goes
  npm run bench -- --servers fairway --pairs 1 --variant delta --workload W1 --cpu-prof

  # the figures of docs/performance.md
  npm run bench -- --json bench.json --svg docs/pictures/bench.svg
`;

const flags = {
  services: { type: "string" },
  proxies: { type: "string" },
  pairs: { type: "string" },
  variant: { type: "string", default: "both" },
  workload: { type: "string", default: workloadIds.join(",") },
  servers: { type: "string", default: "fairway,go-control-plane" },
  beside: { type: "string", default: "clients" },
  "gcp-cache": { type: "string", default: "snapshot" },
  "gcp-keys": { type: "string", default: "shared" },
  full: { type: "boolean", default: false },
  "cpu-prof": { type: "boolean", default: false },
  json: { type: "string" },
  svg: { type: "string" },
  "peer-xds": { type: "string" },
  "peer-docs": { type: "string" },
  "peer-pid": { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** undefined: help was asked for. Throws `WrongUse` with what is wrong. */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const values = parsed(args);
  if (values.help) return undefined;
  return {
    services: count("services", values.services ?? "1000"),
    instances: 10,
    proxies: count("proxies", values.proxies ?? "1000"),
    pairs: values.pairs === undefined ? (values.full ? 5 : 3) : count("pairs", values.pairs),
    variants: choice("variant", values.variant, { both: ["delta", "sotw"], delta: ["delta"], sotw: ["sotw"] }),
    workloads: some("workload", values.workload, workloadIds),
    servers: some("servers", values.servers, ["fairway", "fairway-two", "go-control-plane"]),
    full: values.full,
    isSized: !values.full || values.services !== undefined || values.proxies !== undefined,
    beside: choice("beside", values.beside, { clients: "clients", services: "services" }),
    gcpCache: choice("gcp-cache", values["gcp-cache"], { snapshot: "snapshot", linear: "linear" }),
    gcpKeys: choice("gcp-keys", values["gcp-keys"], { shared: "shared", node: "node" }),
    cpuProfile: values["cpu-prof"],
    json: values.json,
    picture: values.svg,
    outside: outside(values["peer-xds"], values["peer-docs"], values["peer-pid"]),
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags }).values;
  } catch (error) {
    throw new WrongUse(error instanceof Error ? error.message : String(error));
  }
}

function count(name: string, text: string): number {
  if (/^[1-9][0-9]{0,6}$/.test(text)) return Number(text);
  throw new WrongUse(`--${name} wants a number from 1 on, found ${text}`);
}

function choice<T>(name: string, text: string, choices: Readonly<Record<string, T>>): T {
  const found = choices[text];
  if (found === undefined)
    throw new WrongUse(`--${name} wants one of ${Object.keys(choices).join(", ")}, found ${text}`);
  return found;
}

function some(name: string, text: string, known: readonly string[]): ReadonlySet<string> {
  const wanted = text.split(",").filter((part) => part !== "");
  const unknown = wanted.filter((part) => !known.includes(part));
  if (unknown.length > 0) throw new WrongUse(`--${name} knows ${known.join(", ")}, not ${unknown.join(", ")}`);
  return new Set(wanted);
}

function outside(xds?: string, documents?: string, pid?: string): OutsidePeer | undefined {
  if (xds === undefined && documents === undefined && pid === undefined) return undefined;
  const [, host, port] = /^(.+):([0-9]+)$/.exec(xds ?? "") ?? [];
  if (host === undefined || documents === undefined || !/^[0-9]+$/.test(pid ?? "")) {
    throw new WrongUse("another server needs --peer-xds HOST:PORT, --peer-docs DIR and --peer-pid PID together");
  }
  return { host, port: Number(port), documents, pid: Number(pid) };
}
