import { constants } from "node:fs";
import { access } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { MeshError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { createKubeClient } from "../kube/client.ts";
import { createReflector } from "../kube/create-reflector.ts";
import { createKubeConfigAccess, type KubeConfigSource, serverIn } from "../kube/kube-config.ts";
import { createKubeMetrics } from "../kube/metrics.ts";
import type { ReflectorTimes } from "../kube/times.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { createKubernetesRegistry } from "../registry/kubernetes/kubernetes-registry.ts";
import type { RegistrySource } from "../registry/source.ts";
import { version } from "./version.ts";

export interface KubernetesOptions {
  readonly source: KubeConfigSource;
  readonly times?: Partial<ReflectorTimes>;
  readonly mesh: MeshSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * A cluster as the registry `kubernetes`. Whether its API server answers shows in the registry's state: a start while it is down is a
 * start like any other. Throws `usage/invalid` for a file that is not there.
 */
export async function openKubernetes(options: KubernetesOptions): Promise<RegistrySource> {
  const { source, times, mesh, clock, metrics } = options;
  if (source.kind === "file") await checkFile(source.file);
  const name = "kubernetes";
  const log = options.log.child({ registry: name });
  const client = createKubeClient({
    access: createKubeConfigAccess({ source, clock, log }),
    clock,
    userAgent: `fairway/${version.version}`,
  });
  const metricsOf = createKubeMetrics(metrics);
  const registry = createKubernetesRegistry({
    name,
    domain: mesh.domain,
    discoverySelectors: mesh.discoverySelectors,
    clock,
    reflect: (resource) =>
      createReflector({
        ...{ client, resource, clock, log },
        metrics: metricsOf(name, resource.plural),
        ...(times && { times }),
      }),
  });
  return {
    ...registry,
    close: async () => {
      await registry.close();
      client.close();
    },
  };
}

/** Which cluster it is, as far as its configuration tells: a kubeconfig file may lead to another one tomorrow. */
export const placeOfCluster = async (source: KubeConfigSource): Promise<string> =>
  (await serverIn(source)) ?? (source.kind === "file" ? source.file : source.kind);

async function checkFile(file: string): Promise<void> {
  await access(file, constants.R_OK).catch((cause: unknown) => {
    throw new MeshError("usage/invalid", `cannot read the kubeconfig file ${file}`, {
      hint: "Give --kubeconfig a file that exists, for example ~/.kube/config.",
      cause,
    });
  });
}
