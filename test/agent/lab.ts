import { join } from "node:path";
import type { TestContext } from "vitest";
import { fairwayCommand } from "../support/fairway-command.ts";
import {
  type CommandOutcome,
  joinNamespaces,
  makeNetNamespace,
  type NetNamespace,
  needNetNamespaces,
} from "../support/net-namespaces.ts";
import { waitFor } from "../support/wait-for.ts";

const peer = (file: string) => join(import.meta.dirname, "peers", file);

/** Who has which address. Only the workload knows the way to `service`, and nobody is there. */
export const networks = {
  ipv4: {
    own: "10.77.0.1",
    outside: "10.77.0.2",
    /** Of the outside, too. */
    other: "10.79.0.3",
    service: "10.96.0.10",
    loopback: "127.0.0.1",
    /** Where the application is called from in redirect mode. */
    source: "127.0.0.6",
    any: "0.0.0.0",
    /** The workload's second interface, and who is behind it. */
    second: "10.78.0.1",
    behind: "10.78.0.2",
  },
  ipv6: {
    own: "fd77::1",
    outside: "fd77::2",
    other: "fd79::3",
    service: "fd96::10",
    loopback: "::1",
    source: "::6",
    any: "::",
    second: "fd78::1",
    behind: "fd78::2",
  },
} as const;

export type Network = (typeof networks)["ipv4" | "ipv6"];

export const nets: readonly Network[] = Object.values(networks);

/** Ranges of both families. */
export const others = nets.map(({ other }) => `${other}/${other.includes(":") ? 128 : 32}`).join(",");

export const modes = ["redirect", "tproxy"] as const;

/** What came of a request: who answered, whom the answer was for, and the ways it took through a proxy; or why there was none. */
export interface Outcome {
  readonly who?: string;
  readonly peer?: string;
  readonly via?: readonly string[];
  readonly failed?: string;
  /** How many it took so far, of those over one connection. */
  readonly connections?: number;
}

/** An answer that went through no proxy. */
export const direct = (who: string, peer: string): Outcome => ({ who, peer, via: [] });

export interface Caller {
  readonly uid?: number;
  readonly gid?: number;
}

/** `host:port`, or `[host]:port`. */
export const at = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

/** `name`: the host that is asked for. */
export const url = (host: string, port: number, name = ""): string =>
  `http://${at(host, port)}/${name === "" ? "" : `#${name}`}`;

/** A workload, the world outside of it, and who is behind it. */
export interface Lab {
  readonly workload: NetNamespace;
  readonly outside: NetNamespace;
  readonly behind: NetNamespace;
}

export async function makeLab(context: TestContext): Promise<Lab> {
  needNetNamespaces(context);
  const workload = await makeNetNamespace(context.onTestFinished, "workload");
  const outside = await makeNetNamespace(context.onTestFinished, "outside");
  const behind = await makeNetNamespace(context.onTestFinished, "behind");
  const inNet = (address: string) => `${address}/${address.includes(":") ? 64 : 24}`;
  await joinNamespaces(
    { in: workload, interface: "eth0", addresses: nets.map(({ own }) => inNet(own)) },
    { in: outside, interface: "eth0", addresses: nets.map((net) => inNet(net.outside)) },
  );
  await joinNamespaces(
    { in: workload, interface: "eth1", addresses: nets.map(({ second }) => inNet(second)) },
    { in: behind, interface: "eth0", addresses: nets.map((net) => inNet(net.behind)) },
  );
  for (const net of nets) {
    await outside.run("ip", "addr", "add", net.other, "dev", "lo");
    await outside.run("ip", "route", "add", inNet(net.behind).replace(/\d+\//, "0/"), "via", net.own);
    await workload.run("ip", "route", "add", "default", "via", net.outside);
    await behind.run("ip", "route", "add", "default", "via", net.second);
  }
  for (const file of ["ipv4/ip_forward", "ipv6/conf/all/forwarding"]) {
    await workload.run("sh", "-c", `echo 1 > /proc/sys/net/${file}`);
  }
  return { workload, outside, behind };
}

/** Starts a server that says who it is. */
export async function startApp(namespace: NetNamespace, name: string, ports: readonly number[]): Promise<void> {
  const lines: string[] = [];
  await namespace.start([process.execPath, peer("app.ts"), name, ...ports.map(String)], (line) => lines.push(line));
  await waitFor(() => lines.includes("ready"), { what: `${name} listening` });
}

/** Makes requests, each over a connection of its own. */
export async function call(
  from: NetNamespace,
  { uid = 0, gid = 0 }: Caller,
  ...urls: readonly string[]
): Promise<readonly Outcome[]> {
  return JSON.parse(await from.run(process.execPath, peer("call.ts"), String(uid), String(gid), ...urls));
}

/** Makes requests over one connection, on and on; what came of them so far. */
export async function keepCalling(from: NetNamespace, target: string): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  await from.start([process.execPath, peer("keep-calling.ts"), target], (line) => outcomes.push(JSON.parse(line)));
  await waitFor(() => outcomes.length > 0, { what: "the first answer" });
  return outcomes;
}

/** What a command that did its work leaves beside its output. */
export const done = { exit: 0, err: "" };

/** `fairway agent capture`, in the workload. */
export const capture = (
  { workload }: Lab,
  line = "",
  { env = process.env, as = [] }: { readonly env?: NodeJS.ProcessEnv; readonly as?: readonly string[] } = {},
): Promise<CommandOutcome> => {
  const words = line.split(" ").filter((word) => word !== "");
  return workload.attempt([...as, ...fairwayCommand, "agent", "capture", ...words], { env });
};

/** All rules of the workload and all that leads its packets, without times and counters. */
export async function stateOf({ workload }: Lab): Promise<string> {
  const answers: string[] = [];
  for (const command of ["iptables-save", "ip6tables-save"]) answers.push(await workload.run(command));
  for (const family of ["-4", "-6"]) {
    answers.push(await workload.run("ip", family, "rule", "show"));
    answers.push(await workload.run("ip", family, "route", "show", "table", "all"));
    answers.push(await workload.run("ip", family, "addr", "show", "dev", "lo"));
  }
  return answers
    .join("")
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\[\d+:\d+\]/g, "[0:0]");
}
