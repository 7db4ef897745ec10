import { formatHostPort } from "../base/host-port.ts";
import { createLog, type Log } from "../base/log.ts";
import type { CliIo, Command, ExitCode } from "../cli/command.ts";
import { configFolderOf } from "../cli/config-folder.ts";
import { meshSettingsIn } from "../cli/inputs.ts";
import type { RuleSet } from "../config/rule-set.ts";
import { startControlPlane } from "./control-plane.ts";
import { loadServeOptions } from "./load-options.ts";
import { describeOptions, type ServeOptions, serveFlags } from "./options.ts";
import { onTermination } from "./termination.ts";

export const serveCommand: Command = {
  name: "serve",
  summary: "run the control plane",
  details:
    "Every option may come from a flag, the environment (FAIRWAY_RULES, FAIRWAY_XDS, …) " +
    "or a file (--config), in this order.\n" +
    "Rules and catalogs are watched: saving a file is enough. SIGTERM drains; a second one ends at once.",
  flags: serveFlags,
  examples: [
    {
      line: "fairway serve --rules rules/ --catalog catalog.yaml",
      summary: "watch a directory of rules and a file of services",
    },
    { line: "fairway serve --config fairway.yaml --log-format json", summary: "take the options from a file" },
  ],
  run: ({ flags }, io) => serve(flags, io),
};

async function serve(flags: Parameters<Command["run"]>[0]["flags"], io: CliIo): Promise<ExitCode> {
  const loaded = await loadServeOptions({ flags, env: io.env });
  const { options } = loaded;
  const log = logFor(options, io);
  const mesh = await meshSettingsIn(options.mesh);
  for (const [option, value, source] of describeOptions(loaded)) log.debug({ option, value, source }, "option");

  // Heard from the very start: whoever sees "serving" may already want it to end.
  const ending = Promise.withResolvers<void>();
  onTermination({ first: ending.resolve, again: () => process.exit(1) });

  const configFolder = configFolderOf(io.env);
  const plane = await startControlPlane({
    ...options,
    store: options.store === "memory" ? { kind: "memory" } : { kind: "sqlite", folder: options.data },
    ...(configFolder !== undefined && { configFolder }),
    mesh,
    log,
  });
  const { xds, api, metrics } = plane.listens;
  log.info({ xds: formatHostPort(xds), api: formatHostPort(api), metrics: formatHostPort(metrics) }, "serving");
  logFindings(plane.ruleSet.value, log);
  plane.ruleSet.subscribe((ruleSet) => logFindings(ruleSet, log));

  await ending.promise;
  log.info("draining; once more ends at once");
  await plane.stop();
  log.info("stopped");
  return 0;
}

function logFor({ logLevel, logFormat }: ServeOptions, io: CliIo): Log {
  const format = logFormat === "auto" ? (io.terminal === undefined ? "json" : "text") : logFormat;
  return createLog({ level: logLevel, format, write: io.out });
}

function logFindings({ documents }: RuleSet, log: Log): void {
  for (const { kind, namespace, name, findings } of documents) {
    for (const finding of findings) log.warn({ rule: `${kind}/${namespace}/${name}`, ...finding }, "finding");
  }
}
