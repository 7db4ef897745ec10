import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { XdsOptions } from "../../src/xds/options.ts";
import { waitFor } from "./wait-for.ts";

/** What the process of `wire-process.ts` can be told. */
export type WireCommand =
  /** Serves under one more address, with these options. */
  | { readonly do: "listen"; readonly options: Partial<XdsOptions> }
  /** Another world for everybody; its new resources have the round as their content. */
  | { readonly do: "set"; readonly round: number }
  | { readonly do: "look" | "weigh" };

/** What it answers. */
export interface WireReport {
  /** The port. */
  readonly listen: number;
  readonly set: undefined;
  readonly look: WireLook;
  /** Bytes that it holds on to after a forced collection. */
  readonly weigh: number;
}

export interface WireLook {
  /** Sums over all labels, by full name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Timers of ours that wait. */
  readonly timers: number;
  /** Proxies with a stream, as the ledger has them. */
  readonly connected: number;
  /** Errors in the log, warnings of Node, rejections that nobody handled. */
  readonly problems: readonly string[];
}

export interface WireServer {
  readonly listen: (options?: Partial<XdsOptions>) => Promise<number>;
  readonly set: (round: number) => Promise<void>;
  readonly look: () => Promise<WireLook>;
  readonly weigh: () => Promise<number>;
  /** Waits until nothing of any client is left: no stream, watch, call, connection, byte, timer; and no problem was seen. */
  readonly expectEmpty: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const program = fileURLToPath(new URL("./wire-process.ts", import.meta.url));

/** Gauges that are zero when nobody is there. */
const gauges = [
  "fairway_xds_streams",
  "fairway_xds_watches",
  "fairway_xds_connections",
  "fairway_xds_bytes_in_flight",
  "fairway_xds_waiting_streams",
  "fairway_side_calls",
];

export async function startWireServer(): Promise<WireServer> {
  const child = fork(program, {
    execArgv: ["--expose-gc", "--no-warnings"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await once(child, "spawn");
  const tell = teller(child);
  const look = () => tell("look", { do: "look" });
  return {
    listen: (options = {}) => tell("listen", { do: "listen", options }),
    set: async (round) => void (await tell("set", { do: "set", round })),
    look,
    weigh: () => tell("weigh", { do: "weigh" }),
    expectEmpty: async () => {
      let left: unknown;
      const isEmpty = async (): Promise<boolean> => {
        const { metrics, timers, connected } = await look();
        const open = gauges.map((name) => [name, metrics[name] ?? 0] as const).filter(([, count]) => count !== 0);
        left = { ...Object.fromEntries(open), timers, connected };
        return open.length === 0 && timers === 0 && connected === 0;
      };
      await waitFor(isEmpty, { withinMs: 20_000, what: "an empty server" }).catch((cause: unknown) => {
        throw new Error(`left over: ${JSON.stringify(left)}`, { cause });
      });
      expect((await look()).problems).toEqual([]);
    },
    stop: async () => {
      if (child.exitCode !== null) return;
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}

/** One command after another; all fail when the process ends. */
function teller(child: ChildProcess) {
  let turn: Promise<unknown> = Promise.resolve();
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`the server has ended with ${code ?? signal}`);
  });
  ended.catch(() => {});
  return <K extends keyof WireReport>(_: K, command: WireCommand & { readonly do: K }): Promise<WireReport[K]> => {
    const answer = turn.then(async () => {
      const answered = once(child, "message");
      child.send(command);
      const [said] = (await Promise.race([answered, ended])) as [{ report: WireReport[K] } | { failure: string }];
      if ("failure" in said) throw new Error(`${command.do}: ${said.failure}`);
      return said.report;
    });
    turn = answer.catch(() => {});
    return answer;
  };
}
