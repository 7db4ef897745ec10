import { fileURLToPath } from "node:url";
import { MeshError } from "../../base/errors.ts";
import { type Child, type Exit, startChild } from "../child.ts";
import type { ExampleOptions } from "./example-service.ts";

export interface ExampleProcessOptions extends ExampleOptions {
  readonly address: string;
  /** 0: the system chooses one. */
  readonly port: number;
  /** Hears what it prints. */
  readonly onLine?: (line: string) => void;
}

export interface ExampleProcess extends Child {
  readonly name: string;
  readonly port: number;
}

/** The file beside this one, in source and in the published package. */
const main = fileURLToPath(new URL(`example-main${import.meta.url.slice(-3)}`, import.meta.url));

const startTimeoutMs = 15_000;

/** Starts an example service as a child process and waits until it listens. Rejects with `internal/failed` when it does not. */
export async function startExample(options: ExampleProcessOptions): Promise<ExampleProcess> {
  const { name, version, address, port, calls, onLine } = options;
  const printed: string[] = [];
  const { promise: listening, resolve } = Promise.withResolvers<number>();
  const child = await startChild({
    command: process.execPath,
    args: [
      ...[main, "--name", name, "--version", version, "--address", address, "--port", String(port)],
      ...calls.flatMap(({ service, url }) => ["--call", `${service}=${url}`]),
    ],
    onLine(line) {
      const opened = /^listening on (\d+)$/.exec(line)?.[1];
      if (opened !== undefined) resolve(Number(opened));
      if (printed.length < 100) printed.push(line);
      onLine?.(line);
    },
  });
  const { promise: late, resolve: tooLate } = Promise.withResolvers<string>();
  const timer = setTimeout(tooLate, startTimeoutMs, `does not listen within ${startTimeoutMs / 1000} s`);
  const first = await Promise.race([listening, late, child.exited.then(formatExit)]);
  clearTimeout(timer);
  if (typeof first === "number") return { ...child, name: `${name} ${version}`, port: first };
  await child.stop({ graceMs: 0 });
  const said = printed.find((line) => line.startsWith("Error:"));
  throw new MeshError("internal/failed", `example service ${name} ${version} ${first}${said ? `: ${said}` : ""}`);
}

/** For people, for example `ended with status 1`. */
const formatExit = ({ code, signal }: Exit): string => (signal ? `ended by ${signal}` : `ended with status ${code}`);
