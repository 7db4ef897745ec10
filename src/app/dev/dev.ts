import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { createLog } from "../../base/log.ts";
import { type CliIo, type Command, type CommandInput, type ExitCode, flagValue } from "../../cli/command.ts";
import { styleFor } from "../../cli/style.ts";
import { rulePlaces } from "../../delivery/rule-places.ts";
import { defaultMeshSettings } from "../../model/mesh-settings.ts";
import { type ControlPlane, startControlPlane, version } from "../control-plane.ts";
import { chooseLauncher } from "../envoy/choose.ts";
import { findEnvoy, formatProgress } from "../envoy/find.ts";
import { onTermination } from "../termination.ts";
import { type EventLine, formatEventLine, ledgerLine, ruleSetLines, type ShowPlace } from "./event-lines.ts";
import { startEnvoys, startServices, waitForFirstRequest } from "./example-mesh.ts";
import { introduction } from "./introduction.ts";
import { canaryFile, canaryLine, catalogFile, ruleFolders } from "./mesh-files.ts";
import { planMesh } from "./mesh-plan.ts";
import { createProcessGroup } from "./process-group.ts";

export const devCommand: Command = {
  name: "dev",
  summary: "run a control plane and an example mesh with real Envoys on this machine",
  details:
    "Three small services (one in two versions), an Envoy beside each and one as gateway, all on loopback.\n" +
    "Rules are files below --data: edit one, save it, and see who took it and where requests go.\n" +
    "FAIRWAY_ENVOY=container runs the Envoys in containers (Docker or podman).",
  flags: [
    { flags: "--data <dir>", summary: "directory for rules and logs, made when missing", default: "fairway-dev" },
  ],
  examples: [
    { line: "fairway dev", summary: "start; rules are in ./fairway-dev/rules" },
    { line: "fairway dev --data /tmp/mesh", summary: "keep the rules elsewhere" },
  ],
  run: dev,
};

/** Children get this long to end by themselves. */
const graceMs = 3_000;

async function dev({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const dir = flagValue(flags, "data") ?? "fairway-dev";
  const ending = Promise.withResolvers<ExitCode>();
  let stopping = false;
  const print = (line: EventLine): void => {
    if (!stopping) io.out(formatEventLine(line, io.now(), styleFor(io)));
  };
  const group = createProcessGroup((name, { code, signal }) => {
    print({ verb: "stopped", text: `${name} ended ${signal ? `by ${signal}` : `with status ${code}`}` });
    ending.resolve(1);
  });
  let plane: ControlPlane | undefined;
  const forget = onTermination({
    first: () => ending.resolve(0),
    again: () => void group.stop({ graceMs: 0 }).finally(() => process.exit(1)),
  });
  try {
    const starting = start(dir, io, group, print).then((started) => {
      plane = started;
    });
    // Whoever asks to stop while it starts does not have to wait for the start.
    await Promise.race([starting, ending.promise]);
    return await ending.promise;
  } finally {
    stopping = true;
    io.out("\nStopping …\n");
    await group.stop({ graceMs });
    await plane?.stop();
    forget();
  }
}

type Group = ReturnType<typeof createProcessGroup>;

async function start(dir: string, io: CliIo, group: Group, print: (line: EventLine) => void): Promise<ControlPlane> {
  const binary = await findEnvoy({
    env: io.env,
    onProgress: (progress) => io.err(`${formatProgress(progress)}\n`),
    signal: io.signal,
  });
  const startedAt = io.now();
  io.out(`Starting the example mesh with Envoy ${binary.version} …\n`);
  const [launcher, plan] = await Promise.all([chooseLauncher(io.env, binary), planMesh()]);
  await startServices({ plan, dir, group });

  const logs: string[] = [];
  const { host, xds, api, metrics } = plan.controlPlane;
  const plane = await startControlPlane({
    rules: ruleFolders.map((folder) => join(dir, folder)),
    catalog: [join(dir, catalogFile)],
    mesh: defaultMeshSettings,
    xds: { host, port: xds },
    api: { host, port: api },
    metrics: { host, port: metrics },
    log: createLog({ level: "warn", format: "text", write: (line) => logs.push(line) }),
  });
  await startEnvoys({ plan, dir, group }, launcher);
  const url = `http://${plan.gateway.address}:${plan.gateway.port}/`;
  const answer = await waitForFirstRequest(url);

  const show = showFrom(process.cwd());
  const canary = join(dir, canaryFile);
  const text = introduction(
    {
      version: version.version,
      envoy: `Envoy ${binary.version} (${binary.from})`,
      plan,
      listens: plane.listens,
      url,
      answer,
      edit: show({ file: canary, line: canaryLine(await readFile(canary, "utf8")) }),
      secondsToFirstRequest: (io.now() - startedAt) / 1000,
    },
    styleFor(io),
  );
  io.out(text);
  for (const line of ruleSetLines({ ...plane.ruleSet.value, documents: [] }, plane.ruleSet.value, show)) print(line);
  report(plane, show, print);
  return plane;
}

/** One line for each thing that happens from now on. */
function report(plane: ControlPlane, show: ShowPlace, print: (line: EventLine) => void): void {
  let before = plane.ruleSet.value;
  plane.ruleSet.subscribe((ruleSet) => {
    for (const line of ruleSetLines(before, ruleSet, show)) print(line);
    before = ruleSet;
  });
  plane.ledger.subscribe((event) => {
    const refused = event.on === "refused" ? plane.resources.resourcesOf(event.node)?.resources[event.type] : undefined;
    const suspects = event.on === "refused" ? event.suspects : [];
    const places = suspects.flatMap((name) => rulePlaces(refused?.get(name)?.provenance() ?? []));
    const line = ledgerLine(event, places, plane.ruleSet.value.locate, show);
    if (line !== undefined) print(line);
  });
}

/** Paths as one would type them here. */
const showFrom =
  (folder: string): ShowPlace =>
  ({ file = "?", line, column }) => {
    const below = relative(folder, file);
    return [below.startsWith("..") ? file : below, line, column].filter((part) => part !== undefined).join(":");
  };
