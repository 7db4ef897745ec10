import { existsSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, buildKubeServers, serverPackages } from "./kube-build.ts";

export type KubeServerName = keyof typeof serverPackages;

/** The paths of the servers of a Kubernetes control plane. */
export type KubeBinaries = Readonly<Record<KubeServerName, string>>;

const names = Object.keys(serverPackages) as readonly KubeServerName[];

/**
 * The servers: TEST_ASSET_KUBE_APISERVER and so on, or in the folder KUBEBUILDER_ASSETS, as other Kubernetes projects have them;
 * unless all are there, the ones that we build, all of one version.
 */
export async function findKubeBinaries(options: BuildOptions): Promise<KubeBinaries> {
  const given = binariesBy((name) => assetOf(name, options.env));
  if (names.every((name) => existsSync(given[name]))) return given;
  const folder = await buildKubeServers(options);
  return binariesBy((name) => join(folder, name));
}

const binariesBy = (pathOf: (name: KubeServerName) => string): KubeBinaries =>
  Object.fromEntries(names.map((name) => [name, pathOf(name)])) as KubeBinaries;

function assetOf(name: KubeServerName, env: NodeJS.ProcessEnv): string {
  const variable = `TEST_ASSET_${name.toUpperCase().replaceAll("-", "_")}`;
  return env[variable] ?? join(env["KUBEBUILDER_ASSETS"] ?? "/usr/local/kubebuilder/bin", name);
}
