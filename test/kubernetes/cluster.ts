import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { RegistryView } from "../../src/api/types/registries.ts";
import { executableOnPath } from "../../src/app/envoy/executable.ts";
import type { ApiClient } from "../support/api-client.ts";
import type { Cleanup } from "../support/envoy.ts";
import type { KubeObject } from "../support/kube-api.ts";
import type { Kubernetes } from "../support/kube-lab.ts";
import { waitFor } from "../support/wait-for.ts";
import { servicesOfCluster, servicesOfFairway } from "./expected-model.ts";
import { namespaceObject, roleBinding, roleOf } from "./objects.ts";

const execute = promisify(execFile);

export function labFolder(cleanup: Cleanup): string {
  const dir = mkdtempSync(join(tmpdir(), "fairway-cluster-"));
  cleanup(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** As people do it: with kubectl, where there is one; else with what kubectl would send. */
export async function applyObjects(kubernetes: Kubernetes, objects: readonly KubeObject[]): Promise<void> {
  const kubectl = executableOnPath("kubectl", process.env["PATH"]);
  if (kubectl === undefined) {
    for (const object of objects) await kubernetes.admin.apply(object);
    return;
  }
  const kubeconfig = kubernetes.kubeconfig();
  const file = `${kubeconfig}.objects`;
  writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  await execute(kubectl, ["--kubeconfig", kubeconfig, "apply", "--server-side", "--force-conflicts", "-f", file]);
}

/** The namespace of the tests' objects, and what Fairway may do. */
export const prepare = (kubernetes: Kubernetes): Promise<void> =>
  applyObjects(kubernetes, [namespaceObject, roleOf(), roleBinding]);

/** Waits until the cluster's slices have so many ready endpoints. */
export async function waitForEndpoints({ admin }: Kubernetes, count: number): Promise<void> {
  const areThere = async (): Promise<boolean> => {
    const instances = (await servicesOfCluster(admin)).flatMap((service) => service.instances);
    return instances.filter(({ health }) => health === "healthy").length === count;
  };
  await waitFor(areThere, { withinMs: 60_000, what: `${count} ready endpoints` });
}

/** Waits until Fairway has the cluster's services, object by object; fails with the difference. */
export async function expectSameModel({ admin }: Kubernetes, api: ApiClient, withinMs = 10_000): Promise<void> {
  const isSame = async (): Promise<boolean> => {
    expect(await servicesOfFairway(api)).toEqual(await servicesOfCluster(admin));
    return true;
  };
  await waitFor(isSame, { withinMs, what: "the cluster's model" }).catch(isSame);
}

/** How Fairway says that the cluster is. */
export const registryOf = (api: ApiClient): Promise<RegistryView> => api.json("/api/v1/registries/kubernetes");
