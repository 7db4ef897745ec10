import { createWriteStream } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "@bufbuild/protobuf";
import { MeshError } from "../../base/errors.ts";
import { type Child, type ChildOptions, type Exit, startChild } from "../child.ts";
import { type EnvoyAdmin, envoyAdmin } from "./admin.ts";
import { type EnvoyLogLine, isWarning, parseEnvoyLogLine } from "./log-line.ts";

export interface LaunchOptions {
  /** What messages call it, for example `reviews v2`. */
  readonly name: string;
  readonly bootstrap: JsonObject;
  /** Made when missing; holds `bootstrap.json` and `envoy.log`. One Envoy each. */
  readonly dir: string;
  /** Worker threads; default 1, which many Envoys on one laptop ask for. */
  readonly concurrency?: number;
  readonly logLevel?: "debug" | "info" | "warning";
  /** Hears each line of Envoy's log, which goes to `envoy.log` too. */
  readonly onLogLine?: (line: EnvoyLogLine) => void;
}

/** A started Envoy. It does not outlive this process. */
export interface EnvoyProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** The admin port, as soon as it is open. Rejects with `envoy/failed` when Envoy ends before. */
  readonly admin: () => Promise<EnvoyAdmin>;
  /** Waits until Envoy serves (first clusters and listeners are there). Rejects with `envoy/failed` when it ends before or needs longer than `timeoutMs` (default 30000). */
  readonly ready: (options?: { readonly timeoutMs?: number }) => Promise<EnvoyAdmin>;
  readonly exited: Promise<Exit>;
  /** As `Child.stop`. */
  readonly stop: (options?: { readonly graceMs?: number }) => Promise<Exit>;
}

/** Starts an Envoy, somewhere. */
export type EnvoyLauncher = (options: LaunchOptions) => Promise<EnvoyProcess>;

/** How to run Envoy with these arguments, which name files in `dir`. */
export type EnvoyCommand = (args: readonly string[], dir: string) => Pick<ChildOptions, "command" | "args" | "endWith">;

const adminTimeoutMs = 20_000;
const readyTimeoutMs = 30_000;
const pollMs = 20;
/** An Envoy that loses its control plane again and again must not fill the disk. */
const maxLogBytes = 16 * 1024 * 1024;

/** Runs the binary as a child process. */
export const processLauncher = (binary: string): EnvoyLauncher => launcherOf((args) => ({ command: binary, args }));

/** The life of an Envoy, whatever runs it. */
export function launcherOf(commandFor: EnvoyCommand): EnvoyLauncher {
  return async ({ name, bootstrap, dir: folder, concurrency = 1, logLevel = "info", onLogLine }) => {
    const dir = resolve(folder);
    const configFile = join(dir, "bootstrap.json");
    const addressFile = join(dir, "admin-address");
    const logFile = join(dir, "envoy.log");
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await rm(addressFile, { force: true });
    await writeFile(configFile, JSON.stringify(bootstrap, null, 2), { mode: 0o600 });

    const args = [
      ...["--config-path", configFile, "--admin-address-path", addressFile],
      ...["--disable-hot-restart", "--concurrency", String(concurrency)],
      ...["--log-level", logLevel, "--log-format-escaped"],
    ];
    const log = openLog(logFile);
    let worst: EnvoyLogLine | undefined;
    const onLine = (text: string) => {
      log.write(text);
      const line = parseEnvoyLogLine(text);
      if (isWarning(line) && !(worst?.level === "critical" && line.level !== "critical")) worst = line;
      onLogLine?.(line);
    };
    const child = await startChild({ ...commandFor(args, dir), onLine }).catch((cause: Error) => {
      throw new MeshError("envoy/failed", `Envoy ${name} does not start: ${cause.message}`, { cause });
    });
    const exited = child.exited.finally(log.close);
    const failed = (what: string) =>
      new MeshError("envoy/failed", `Envoy ${name} ${what}${worst ? `: ${worst.text}` : ""}`, {
        hint: `Its log is ${logFile}.`,
      });
    const until = <T>(what: string, timeoutMs: number, poll: () => Promise<T | undefined>) =>
      pollWhileRunning({ child, timeoutMs, poll, failed, what });
    const admin = () =>
      until("opens no admin port", adminTimeoutMs, async () => {
        const address = await readFile(addressFile, "utf8").catch(() => "");
        return address === "" ? undefined : envoyAdmin(address.trim());
      });
    return {
      name,
      pid: child.pid,
      logFile,
      exited,
      admin,
      async ready({ timeoutMs = readyTimeoutMs } = {}) {
        const port = await admin();
        return until("is not ready", timeoutMs, async () => ((await port.isLive()) ? port : undefined));
      },
      stop: async (options) => {
        await child.stop(options);
        return exited;
      },
    };
  };
}

interface Poll<T> {
  readonly child: Child;
  readonly what: string;
  readonly timeoutMs: number;
  readonly poll: () => Promise<T | undefined>;
  readonly failed: (what: string) => MeshError;
}

async function pollWhileRunning<T>({ child, what, timeoutMs, poll, failed }: Poll<T>): Promise<T> {
  let exit: Exit | undefined;
  void child.exited.then((how) => {
    exit = how;
  });
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await poll();
    if (exit !== undefined) throw failed(`ended ${exit.signal ? `by ${exit.signal}` : `with status ${exit.code}`}`);
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw failed(`${what} within ${timeoutMs / 1000} s`);
    await delay(pollMs);
  }
}

function openLog(file: string): { readonly write: (line: string) => void; readonly close: () => Promise<void> } {
  const stream = createWriteStream(file, { mode: 0o600 });
  // A full disk costs the log, not the proxy.
  stream.on("error", () => {});
  let written = 0;
  return {
    write(line) {
      if (written > maxLogBytes) return;
      written += line.length + 1;
      stream.write(written > maxLogBytes ? "(the rest is left out: the log is too long)\n" : `${line}\n`);
    },
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}
