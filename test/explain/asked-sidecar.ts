import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import type { EnvoyBinary } from "../../src/app/envoy/find.ts";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import { type Cleanup, launchTestEnvoy } from "../support/envoy.ts";
import { bytesOf, type Call } from "./call.ts";
import type { Parts } from "./configuration.ts";
import { isAnswered } from "./http2-request.ts";
import { entrances, tellingBootstrap } from "./telling-sidecar.ts";

/** What an Envoy did with one connection. What is absent did not come to be. */
export interface Seen {
  /** Absent: nobody listens there. */
  readonly listener?: string;
  /** Its place in the listener, as a pointer. */
  readonly chain?: string;
  /** Its virtual host, and its place there: `reviews:9080 0`. */
  readonly route?: string;
  readonly cluster?: string;
  readonly status?: number;
  readonly location?: string;
}

export interface AskedSidecar {
  /** Plays a call up to its end. */
  readonly ask: (call: Call) => Promise<void>;
  /** Ends the Envoy, which then has told everything: by the port that a call came from. */
  readonly end: () => Promise<ReadonlyMap<number, Seen>>;
}

/** An Envoy with the listeners of a sidecar, for calls that come from different ports. It fails to start when one is not to its liking. */
export async function askedSidecar({ path }: EnvoyBinary, resources: Parts, cleanup: Cleanup): Promise<AskedSidecar> {
  const dir = mkdtempSync(join(tmpdir(), "fairway-calls-"));
  cleanup(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, "calls");
  const bootstrap = tellingBootstrap(resources, file);
  const envoy = await launchTestEnvoy({ cleanup, launcher: processLauncher(path), bootstrap, concurrency: 1 });
  const admin = await envoy.ready({ timeoutMs: 60_000 });
  const ports = new Map((await admin.listeners()).map(({ name, address }) => [name, address?.port ?? 0]));
  return {
    ask: (call) => play(call, ports.get(entrances[call.way]) ?? 0),
    async end() {
      await envoy.stop();
      return seenIn(await readFile(file, "utf8"));
    },
  };
}

async function play(call: Call, port: number): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port });
  const isHttp2 = call.speech.kind === "http" && call.speech.version === "2";
  let received = Buffer.alloc(0);
  socket.on("data", (bytes) => {
    received = Buffer.concat([received, bytes]);
    // It waits for the client to close first, or for further requests.
    if (!isHttp2 || isAnswered(received)) socket.end();
  });
  socket.write(bytesOf(call));
  await once(socket, "close").catch((cause: NodeJS.ErrnoException) => {
    // It is closed while what it was sent is not read.
    if (cause.code !== "ECONNRESET" && cause.code !== "EPIPE") throw cause;
  });
}

type Told = { readonly [field in keyof Seen | "port"]?: string | number | null };

/** A connection and its request are told in a line each. */
function seenIn(text: string): ReadonlyMap<number, Seen> {
  const lines = text.split("\n").filter((line) => line !== "");
  const seen = new Map<number, JsonObject>();
  for (const { port, ...told } of lines.map((line) => JSON.parse(line) as Told)) {
    const known = Object.entries(told).filter(([, value]) => value !== null && value !== "" && value !== 0);
    if (told.listener !== entrances.dialled)
      seen.set(Number(port), { ...seen.get(Number(port)), ...Object.fromEntries(known) });
  }
  return seen as ReadonlyMap<number, Seen>;
}
