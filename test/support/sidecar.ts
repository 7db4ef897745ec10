import { chmodSync, chownSync, copyFileSync, linkSync, mkdtempSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import { type CaptureMode, defaultCaptureOptions } from "../../src/agent/capture-options.ts";
import { launcherOf } from "../../src/app/envoy/launch.ts";
import { type Cleanup, launchTestEnvoy, type TestEnvoy } from "./envoy.ts";
import type { NetNamespace } from "./net-namespaces.ts";
import { waitFor } from "./wait-for.ts";

const { proxyUid, proxyGid } = defaultCaptureOptions;

export interface SidecarOptions {
  readonly cleanup: Cleanup;
  readonly in: NetNamespace;
  readonly mode: CaptureMode;
  /** The path of the binary. */
  readonly binary: string;
  readonly bootstrap: JsonObject;
  readonly name?: string;
}

/** Starts an Envoy in a namespace, as the user of proxies, whose connections are not captured; resolves when it listens. */
export async function startSidecar({
  cleanup,
  in: namespace,
  mode,
  binary: path,
  bootstrap,
  name = "sidecar",
}: SidecarOptions): Promise<TestEnvoy> {
  const binary = await forEverybody(path, cleanup);
  const user = ["--reuid", String(proxyUid), "--regid", String(proxyGid), "--clear-groups"];
  // For transparent sockets and marks.
  const rights = mode === "tproxy" ? ["--inh-caps", "+net_admin", "--ambient-caps", "+net_admin"] : [];
  const envoy = await launchTestEnvoy({
    cleanup,
    launcher: launcherOf((args, folder) => {
      for (const file of ["", ...readdirSync(folder)]) chownSync(join(folder, file), proxyUid, proxyGid);
      return { command: "ip", args: ["netns", "exec", namespace.name, "setpriv", ...user, ...rights, binary, ...args] };
    }),
    bootstrap,
    name,
  });
  await waitFor(() => envoy.log.some(({ text }) => text.includes("starting workers")), {
    withinMs: 30_000,
    what: name,
  }).catch((cause: unknown) => {
    const said = envoy.log.slice(-10).map(({ text }) => text);
    throw new Error(`Envoy ${name} does not start; it said:\n${said.join("\n")}`, { cause });
  });
  return envoy;
}

/** The binary where also a user may run it who may not read the folders of root. */
async function forEverybody(path: string, cleanup: Cleanup): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "fairway-sidecar-"));
  cleanup(() => rm(dir, { recursive: true }));
  chmodSync(dir, 0o755);
  const binary = join(dir, "envoy");
  try {
    linkSync(path, binary);
  } catch {
    copyFileSync(path, binary);
  }
  return binary;
}
