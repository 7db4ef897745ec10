import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { createLog, type Log } from "../../base/log.ts";
import { type CliIo, type CommandInput, type ExitCode, flagValue } from "../../cli/command.ts";
import { configFolderOf } from "../../cli/config-folder.ts";
import { styleFor } from "../../cli/style.ts";
import { defaultMeshSettings } from "../../model/mesh-settings.ts";
import { type ControlPlane, startControlPlane } from "../control-plane.ts";
import { chooseLauncher } from "../envoy/choose.ts";
import { type EnvoyBinary, findEnvoy } from "../envoy/find.ts";
import { onTermination } from "../termination.ts";
import { version } from "../version.ts";
import { applyFile } from "./apply-file.ts";
import { claimFolder } from "./claim-folder.ts";
import type { ShowPlace } from "./event-lines.ts";
import { envoyFolder, startEnvoys, startServices, waitForFirstRequest } from "./example-mesh.ts";
import { type Arrival, introduction } from "./introduction.ts";
import { canaryFile, canaryLine, catalogFile, ruleFolders, storedCanaryFile } from "./mesh-files.ts";
import { type MeshPlan, planMesh } from "./mesh-plan.ts";
import { createProcessGroup, type ProcessGroup } from "./process-group.ts";
import { createProgressLine } from "./progress-line.ts";
import { reportEvents } from "./report.ts";
import { createScreen, type Screen } from "./screen.ts";

/** Below the mesh's folder: what the control plane keeps. */
const dataFolder = "data";

/** Children get this long to end by themselves. */
const graceMs = 3_000;

/** Runs the example mesh until it is told to end. */
export async function dev({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const dir = flagValue(flags, "data") ?? "fairway-dev";
  const release = await claimFolder(dir);
  const ending = Promise.withResolvers<ExitCode>();
  const stopping = new AbortController();
  const screen = createScreen(io);
  const group = createProcessGroup((name, { code, signal }) => {
    screen.tell({ verb: "stopped", text: `${name} ended ${signal ? `by ${signal}` : `with status ${code}`}` });
    ending.resolve(1);
  });
  const forget = onTermination({
    first: () => ending.resolve(0),
    again: () => void group.stop({ graceMs: 0 }).finally(() => process.exit(1)),
  });
  const mesh: StartingMesh = { dir, io, group, screen, signal: stopping.signal };
  const starting = start(mesh);
  try {
    // Whoever asks to stop while it starts does not have to wait for the start.
    await Promise.race([starting, ending.promise]);
    return await ending.promise;
  } finally {
    screen.end();
    stopping.abort();
    await group.stop({ graceMs });
    await Promise.allSettled([starting]);
    await mesh.plane?.stop();
    await release();
    forget();
  }
}

interface StartingMesh {
  readonly dir: string;
  readonly io: CliIo;
  readonly group: ProcessGroup;
  readonly screen: Screen;
  /** Aborted when all is to end. */
  readonly signal: AbortSignal;
  plane?: ControlPlane;
}

async function start(mesh: StartingMesh): Promise<void> {
  const { dir, io, group, screen, signal } = mesh;
  const binary = await findBinary(io, signal);
  const startedAt = io.now();
  io.out(`Starting the example mesh with Envoy ${binary.version} …\n`);
  const [launcher, plan] = await Promise.all([chooseLauncher(io.env, binary), planMesh()]);
  const { services, written } = await startServices({ plan, dir, group });
  const logFile = join(dir, "control-plane.log");
  mesh.plane = await startPlane(mesh, plan, logTo(logFile));
  signal.throwIfAborted();
  if (written.includes(storedCanaryFile)) await applyFile(mesh.plane.ports, { dir, file: storedCanaryFile });

  const show = showFrom(process.cwd());
  reportEvents(mesh.plane, show, screen.tell);
  await startEnvoys({ plan, dir, group }, launcher);
  const url = `http://${plan.gateway.address}:${plan.gateway.port}/`;
  // Rules that were broken before the start may well lead nowhere.
  const isBroken = mesh.plane.ports.findings().some(({ severity }) => severity === "error");
  const arrival = await firstArrival(url, { signal, startedAt, now: io.now, timeoutMs: isBroken ? 1_000 : 20_000 });

  const canary = join(dir, canaryFile);
  const line = canaryLine(await readFile(canary, "utf8").catch(() => ""));
  const text = introduction(
    {
      version: version.version,
      envoy: `Envoy ${binary.version} (${binary.from})`,
      plan,
      appPorts: services.map(({ port }) => port),
      listens: mesh.plane.listens,
      url,
      arrival,
      edit: show({ file: canary, ...(line > 0 && { line }) }),
      apply: show({ file: join(dir, storedCanaryFile) }),
      tokenFile: show({ file: mesh.plane.tokenFile ?? "" }),
      logs: [logFile, join(dir, envoyFolder, "*", "envoy.log")].map((file) => show({ file })),
    },
    styleFor(io),
  );
  screen.introduce(text);
}

async function findBinary(io: CliIo, signal: AbortSignal): Promise<EnvoyBinary> {
  const progress = createProgressLine(io);
  try {
    return await findEnvoy({ env: io.env, onProgress: progress.show, signal });
  } finally {
    progress.end();
  }
}

function startPlane({ dir, io }: StartingMesh, { controlPlane }: MeshPlan, log: Log): Promise<ControlPlane> {
  const { host, xds, api, metrics } = controlPlane;
  const configFolder = configFolderOf(io.env);
  return startControlPlane({
    store: { kind: "sqlite", folder: join(dir, dataFolder) },
    ...(configFolder !== undefined && { configFolder }),
    rules: ruleFolders.map((folder) => join(dir, folder)),
    catalog: [join(dir, catalogFile)],
    mesh: defaultMeshSettings,
    xds: { host, port: xds },
    api: { host, port: api },
    metrics: { host, port: metrics },
    log,
  });
}

/** The terminal has what matters; here is the rest. */
function logTo(file: string): Log {
  const stream = createWriteStream(file);
  // A full disk costs the log, not the mesh.
  stream.on("error", () => {});
  return createLog({ level: "info", format: "text", write: (line) => stream.write(line) });
}

interface FirstArrival {
  readonly signal: AbortSignal;
  readonly startedAt: number;
  readonly now: () => number;
  readonly timeoutMs: number;
}

async function firstArrival(url: string, { signal, startedAt, now, timeoutMs }: FirstArrival): Promise<Arrival> {
  try {
    const answer = await waitForFirstRequest(url, { signal, timeoutMs });
    return { kind: "arrived", answer, afterMs: now() - startedAt };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Paths as one would type them here. */
const showFrom =
  (folder: string): ShowPlace =>
  ({ file = "?", line, column }) => {
    const below = relative(folder, file);
    return [below.startsWith("..") ? file : below, line, column].filter((part) => part !== undefined).join(":");
  };
