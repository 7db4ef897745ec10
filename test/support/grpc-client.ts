import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";
import { blocksOf, pageAt } from "../docs/pages.ts";
import { pythonGrpc } from "./grpcio.ts";

/** gRPC's own clients, each as a process with its own bootstrap. */
export type GrpcLanguage = "grpc-js" | "grpcio";

export interface CallReport {
  /** How often each backend answered, by its name. */
  readonly answers: Readonly<Record<string, number>>;
  readonly errors: readonly { readonly code: number; readonly details: string; readonly afterMs: number }[];
}

export interface CallOptions {
  /** Calls, one after the other; default 1. */
  readonly count?: number;
  /** Of each call; default 10000: below the 15 s that the clients wait for a resource. */
  readonly deadlineMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface GrpcClient {
  readonly call: (target: string, options?: CallOptions) => Promise<CallReport>;
  /** Calls, one after the other, until the given function is called. */
  readonly keepCalling: (target: string, options?: CallOptions) => Promise<() => Promise<CallReport>>;
  /** Starts a server that waits for its listener; resolves when it is bound (grpc-js), or has begun to wait (grpcio). */
  readonly serve: (address: string, name: string) => Promise<void>;
}

export interface GrpcClientOptions {
  readonly xdsPort: number;
  /** Default: the workload `web-1` of `shop`. */
  readonly nodeId?: string;
  /** Default: that of gRPC's own examples. */
  readonly listenerTemplate?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const file = (name: string): string => fileURLToPath(new URL(`../grpc-clients/${name}`, import.meta.url));

export async function startGrpcClient(
  context: Pick<TestContext, "skip" | "onTestFinished">,
  language: GrpcLanguage,
  options: GrpcClientOptions,
): Promise<GrpcClient> {
  const env = { ...process.env, GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrap(options)), ...options.env };
  const [command, script, more] =
    language === "grpc-js"
      ? [process.execPath, file("js-client.ts"), {}]
      : await pythonGrpc(context).then(
          ({ python, path }) => [python, file("client.py"), { PYTHONPATH: path, PYTHONUNBUFFERED: "1" }] as const,
        );
  const child = spawn(command, [script], { stdio: ["pipe", "pipe", "pipe"], env: { ...env, ...more } });
  const ended = once(child, "close");
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-4_096);
  });
  // It has ended: whoever waits for an answer is told.
  child.stdin.on("error", () => {});
  const waiting = new Map<number, { resolve: (answer: object) => void; reject: (reason: Error) => void }>();
  void ended.then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`the ${language} client ended: ${complaints}`));
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, failed, ...answer } = JSON.parse(line);
    const asked = waiting.get(id);
    waiting.delete(id);
    if (failed === undefined) asked?.resolve(answer);
    else asked?.reject(new Error(failed));
  });
  context.onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });

  const answerTo = (id: number): Promise<object> => {
    const answer = new Promise<object>((resolve, reject) => waiting.set(id, { resolve, reject }));
    // A test that has failed already waits no more.
    answer.catch(() => {});
    return answer;
  };
  let orders = 0;
  const order = (fields: object): Promise<object> => {
    const id = ++orders;
    child.stdin.write(`${JSON.stringify({ id, ...fields })}\n`);
    return answerTo(id);
  };
  // It needs a second to load; what a test measures begins after that.
  await answerTo(0);
  const asked = (target: string, { count = 1, deadlineMs = 10_000, headers = {} }: CallOptions) => ({
    ...{ target: `xds:///${target}`, count, deadlineMs, headers },
  });
  return {
    call: (target, callOptions = {}) => order({ do: "call", ...asked(target, callOptions) }) as Promise<CallReport>,
    keepCalling: async (target, callOptions = {}) => {
      await order({ do: "begin", ...asked(target, callOptions) });
      return () => order({ do: "end", ...asked(target, callOptions) }) as Promise<CallReport>;
    },
    serve: async (address, name) => {
      await order({ do: "serve", address, name });
    },
  };
}

/** That of docs/grpc.md, with what differs from process to process. */
function bootstrap({ xdsPort, nodeId, listenerTemplate }: GrpcClientOptions): object {
  const [example] = blocksOf(pageAt("docs/grpc.md")).filter(({ language }) => language === "json");
  const { xds_servers: servers, node, ...rest } = JSON.parse(example?.text ?? "");
  return {
    ...rest,
    xds_servers: [{ ...servers[0], server_uri: `127.0.0.1:${xdsPort}` }],
    node: { ...node, ...(nodeId !== undefined && { id: nodeId }) },
    ...(listenerTemplate !== undefined && { server_listener_resource_name_template: listenerTemplate }),
  };
}
