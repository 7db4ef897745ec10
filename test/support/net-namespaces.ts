import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestContext } from "vitest";
import { type Child, startChild } from "../../src/app/child.ts";
import { runAfterDeath } from "../../src/app/reaper.ts";
import type { Cleanup } from "./envoy.ts";

const execute = promisify(execFile);
const timeoutMs = 20_000;

export interface CommandOutcome {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** A network namespace of the test's own. */
export interface NetNamespace {
  readonly name: string;
  /** Runs a command inside; rejects when it fails. */
  readonly run: (command: string, ...args: readonly string[]) => Promise<string>;
  /** The same, for commands that may fail. */
  readonly attempt: (
    command: readonly string[],
    options?: { readonly env?: NodeJS.ProcessEnv },
  ) => Promise<CommandOutcome>;
  /** Starts a process that is stopped at the end. */
  readonly start: (command: readonly string[], onLine?: (line: string) => void) => Promise<Child>;
}

/**
 * Tests that change the network of a namespace take root and the system's tools. Elsewhere they are skipped, by name and reason; in CI (CI=true) always: what
 * they need of the kernel is not promised there.
 */
export function needNetNamespaces(context: Pick<TestContext, "skip">): void {
  const reason = whyNoNetNamespaces();
  if (reason === undefined) return;
  console.warn(`skipped: ${reason}`);
  context.skip(reason);
}

const commands = ["ip", "iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore", "setpriv"];

/** Why none can be made here; undefined: they can. */
export function whyNoNetNamespaces(): string | undefined {
  if (process.env["CI"] === "true") return "network namespaces: never in CI";
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "network namespaces: only root on Linux makes them";
  const missing = commands.filter((command) => !isOnPath(command));
  return missing.length === 0 ? undefined : `network namespaces: there is no ${missing.join(", no ")}`;
}

const isOnPath = (command: string): boolean =>
  (process.env["PATH"] ?? "").split(":").some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

let made = 0;

/** Makes a namespace; it is gone at the end, also when this process is killed. */
export async function makeNetNamespace(cleanup: Cleanup, label: string): Promise<NetNamespace> {
  const name = `fairway-${process.pid}-${++made}-${label}`;
  const enter = ["netns", "exec", name];
  const undo = runAfterDeath(["ip", "netns", "del", name]);
  cleanup(async () => {
    await execute("ip", ["netns", "del", name], { timeout: timeoutMs });
    undo();
  });
  await execute("ip", ["netns", "add", name], { timeout: timeoutMs });
  const run = async (command: string, ...args: readonly string[]): Promise<string> =>
    (await execute("ip", [...enter, command, ...args], { timeout: timeoutMs })).stdout;
  await run("ip", "link", "set", "lo", "up");
  return {
    name,
    run,
    attempt: ([command = "", ...args], { env = process.env } = {}) =>
      new Promise((resolve) => {
        const options = { timeout: timeoutMs, env };
        execFile("ip", [...enter, command, ...args], options, (error, out, err) => {
          resolve({ exit: error === null ? 0 : Number(error.code ?? -1), out, err });
        });
      }),
    start: async (command, onLine) => {
      const child = await startChild({ command: "ip", args: [...enter, ...command], ...(onLine && { onLine }) });
      cleanup(async () => {
        await child.stop({ graceMs: 2_000 });
      });
      return child;
    },
  };
}

/** An end of a cable: the name of the interface, and its addresses with the length of their network. */
export interface CableEnd {
  readonly in: NetNamespace;
  readonly interface: string;
  readonly addresses: readonly string[];
}

/** Joins two namespaces. */
export async function joinNamespaces(left: CableEnd, right: CableEnd): Promise<void> {
  await layCable(left, right);
  await plugIn(left, "fe80::1/64");
  await plugIn(right, "fe80::2/64");
}

/** A wire that any number of namespaces are joined by. */
export interface Bridge {
  readonly in: NetNamespace;
  readonly interface: string;
  /** `number`: 2 to 65535, another one for each. */
  readonly join: (end: CableEnd, number: number) => Promise<void>;
}

/** Makes a bridge in a namespace, with addresses of its own there. */
export async function makeBridge(end: CableEnd): Promise<Bridge> {
  const { in: namespace, interface: bridge } = end;
  await namespace.run("ip", "link", "add", bridge, "type", "bridge", "mcast_snooping", "0");
  await plugIn(end, "fe80::1/64");
  return {
    ...end,
    join: async (other, number) => {
      const port: CableEnd = { in: namespace, interface: `port${number}`, addresses: [] };
      await layCable(other, port);
      await namespace.run("ip", "link", "set", port.interface, "master", bridge, "addrgenmode", "none", "up");
      await plugIn(other, `fe80::${number.toString(16)}/64`);
    },
  };
}

async function layCable(left: CableEnd, right: CableEnd): Promise<void> {
  const end = ({ in: { name }, interface: link }: CableEnd) => ["name", link, "netns", name];
  await execute("ip", ["link", "add", ...end(left), "type", "veth", "peer", ...end(right)], { timeout: timeoutMs });
}

/** The link-local address is given: the kernel's own would come when it likes. */
async function plugIn({ in: { run }, interface: link, addresses }: CableEnd, linkLocal: string): Promise<void> {
  await run("ip", "link", "set", link, "addrgenmode", "none");
  for (const address of [linkLocal, ...addresses]) {
    await run("ip", "addr", "add", address, "dev", link, ...(address.includes(":") ? ["nodad"] : []));
  }
  await run("ip", "link", "set", link, "up");
}
