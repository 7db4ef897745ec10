import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { MeshError } from "../../base/errors.ts";
import { bootstrapFor, nodeIdOf } from "../../envoy/bootstrap.ts";
import type { EnvoyLauncher, EnvoyProcess } from "../envoy/launch.ts";
import { type ExampleProcess, startExample } from "./example-process.ts";
import { meshFiles } from "./mesh-files.ts";
import { type MeshPlan, proxyNameOf, type WorkloadPlan } from "./mesh-plan.ts";
import type { ProcessGroup } from "./process-group.ts";

export interface ExampleMeshInput {
  readonly plan: MeshPlan;
  /** Rules, catalog and the Envoys' folders go here. */
  readonly dir: string;
  readonly group: ProcessGroup;
}

export interface StartedServices {
  /** In the order of the plan's workloads. */
  readonly services: readonly ExampleProcess[];
  /** Files of the user's own that were not there yet, by path below the mesh's folder. */
  readonly written: readonly string[];
}

/** Starts the example services and writes the catalog and the rules that fit them. */
export async function startServices({ plan, dir, group }: ExampleMeshInput): Promise<StartedServices> {
  const services = await Promise.all(
    plan.workloads.map(({ service, version, address, calls }) =>
      group.start(() =>
        startExample({
          name: service,
          version,
          address: "127.0.0.1",
          port: 0,
          calls: calls.map((called) => ({ service: called, url: `http://${address}:${plan.servicePorts[called]}/` })),
        }),
      ),
    ),
  );
  const files = meshFiles(
    plan,
    services.map(({ port }) => port),
  );
  for (const [path, text] of Object.entries(files.generated)) await write(join(dir, path), text);
  const missing = Object.entries(files.rules).filter(([path]) => !existsSync(join(dir, path)));
  for (const [path, text] of missing) await write(join(dir, path), text);
  return { services, written: missing.map(([path]) => path) };
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** Below the mesh's folder: one folder for each Envoy, with its bootstrap and its log. */
export const envoyFolder = "envoy";

/** Starts one Envoy as gateway and one beside each service; resolves when all of them serve. */
export async function startEnvoys(
  { plan, dir, group }: ExampleMeshInput,
  launcher: EnvoyLauncher,
  variant: "delta" | "sotw" = "delta",
): Promise<readonly EnvoyProcess[]> {
  const { namespace, controlPlane } = plan;
  const launch = (
    name: string,
    kind: "sidecar" | "gateway",
    ip: string,
    labels: WorkloadLabels,
  ): Promise<EnvoyProcess> =>
    group.start(async () => {
      const envoy = await launcher({
        name,
        dir: join(dir, envoyFolder, name),
        bootstrap: bootstrapFor({
          node: {
            id: nodeIdOf({ kind, ip, name, namespace, domain: "cluster.local" }),
            cluster: `${labels.app}.${namespace}`,
            metadata: { NAMESPACE: namespace, LABELS: { ...labels }, INTERCEPTION_MODE: "NONE" },
          },
          xds: { host: controlPlane.host, port: controlPlane.xds, variant },
          admin: { host: "127.0.0.1", port: 0 },
        }),
      });
      return { ...envoy, name: `Envoy ${name}` };
    });
  const sidecar = (workload: WorkloadPlan): Promise<EnvoyProcess> => {
    const { service, version, address } = workload;
    return launch(proxyNameOf(workload), "sidecar", address, { app: service, version });
  };
  const envoys = await Promise.all([
    launch("gateway", "gateway", plan.gateway.address, { app: "gateway" }),
    ...plan.workloads.map(sidecar),
  ]);
  await Promise.all(envoys.map((envoy) => envoy.ready()));
  return envoys;
}

interface WorkloadLabels {
  readonly app: string;
  readonly version?: string;
}

export interface ArrivalOptions {
  /** Default 20000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Waits until a request makes it through the whole mesh; the answer. Rejects with `internal/failed` when none does in time. */
export async function waitForFirstRequest(url: string, options: ArrivalOptions = {}): Promise<string> {
  const { timeoutMs = 20_000, signal = new AbortController().signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const attempt = AbortSignal.any([signal, AbortSignal.timeout(2_000)]);
    const answer = await fetch(url, { signal: attempt }).catch(() => undefined);
    const text = (await answer?.text().catch(() => undefined))?.trim();
    if (answer?.ok && text !== undefined) return text;
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      const found = answer === undefined ? "no answer" : `${answer.status} ${text}`.trim();
      throw new MeshError("internal/failed", `no request reaches the services through ${url}: ${found}`);
    }
    await delay(25);
  }
}
