import { formatHostPort } from "../base/host-port.ts";
import { createLog, type Log } from "../base/log.ts";
import type { CliIo, ExitCode, FlagValues } from "../cli/command.ts";
import { configFolderOf } from "../cli/config-folder.ts";
import { meshSettingsIn } from "../cli/inputs.ts";
import type { KubeConfigSource } from "../kube/kube-config.ts";
import { startControlPlane } from "./control-plane.ts";
import { loadServeOptions } from "./load-options.ts";
import { describeOptions, type ServeOptions } from "./options.ts";
import { onTermination } from "./termination.ts";

/** Runs a control plane until it is told to end. */
export async function serve(flags: FlagValues, io: CliIo): Promise<ExitCode> {
  const loaded = await loadServeOptions({ flags, env: io.env });
  const { options } = loaded;
  const log = logFor(options, io);
  const mesh = await meshSettingsIn(options.mesh);
  for (const [option, value, source] of describeOptions(loaded)) log.debug({ option, value, source }, "option");

  // Heard from the very start: whoever sees "serving" may already want it to end.
  const ending = Promise.withResolvers<void>();
  onTermination({ first: ending.resolve, again: () => process.exit(1) });

  const configFolder = configFolderOf(io.env);
  const cluster = clusterIn(options);
  const plane = await startControlPlane({
    ...options,
    store: options.store === "memory" ? { kind: "memory" } : { kind: "sqlite", folder: options.data },
    ...(configFolder !== undefined && { configFolder }),
    ...(cluster && { kubernetes: { source: cluster } }),
    registries: options,
    apiLimits: { requestsPerSecond: options.rateLimit, requestBurst: 5 * options.rateLimit },
    mesh,
    log,
  });
  const { xds, api, metrics } = plane.listens;
  log.info({ xds: formatHostPort(xds), api: formatHostPort(api), metrics: formatHostPort(metrics) }, "serving");

  await ending.promise;
  log.info("draining; once more ends at once");
  await plane.stop();
  log.info("stopped");
  return 0;
}

function clusterIn({ kubeconfig, kubeContext, inCluster }: ServeOptions): KubeConfigSource | undefined {
  if (inCluster) return { kind: "in-cluster" };
  if (kubeconfig === undefined) return undefined;
  return { kind: "file", file: kubeconfig, ...(kubeContext !== undefined && { context: kubeContext }) };
}

function logFor({ logLevel, logFormat }: ServeOptions, io: CliIo): Log {
  const format = logFormat === "auto" ? (io.terminal === undefined ? "json" : "text") : logFormat;
  return createLog({ level: logLevel, format, write: io.out });
}
