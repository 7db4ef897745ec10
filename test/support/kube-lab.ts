import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cleanup } from "./envoy.ts";
import { freePort } from "./free-port.ts";
import { createKubeApi, type KubeApi, type KubeServer } from "./kube-api.ts";
import type { KubeBinaries } from "./kube-binaries.ts";
import { compactEtcd } from "./kube-etcd.ts";
import { apiServerFlags, certificateIn, controllerFlags, etcdFlags, wordsOf, writeServerFiles } from "./kube-flags.ts";
import { type LabProcess, startLabProcess } from "./kube-process.ts";
import { adminName, kubeconfigOf, tokenFileOf, userNamed, userOfServiceAccount, usersOf } from "./kube-users.ts";
import { isOpen } from "./process.ts";

export interface KubeOptions {
  /** kube-controller-manager: endpoint slices, namespaces, owners and replicas. Default: none. */
  readonly controllers?: { readonly maxEndpointsPerSlice?: number };
  /** `<namespace>/<name>` of service accounts that may sign in, without any right of their own; they need not be there as objects. */
  readonly serviceAccounts?: readonly string[];
  /** More flags of kube-apiserver; of the same flag they count more than ours. */
  readonly apiServerFlags?: Readonly<Record<string, string | number | boolean>>;
}

/** The servers of a Kubernetes cluster on 127.0.0.1, without nodes. */
export interface Kubernetes {
  readonly etcd: LabProcess;
  readonly apiServer: LabProcess;
  readonly controllers: LabProcess | undefined;
  readonly server: KubeServer;
  /** As `system:masters`. */
  readonly admin: KubeApi;
  /** As one of `serviceAccounts`. */
  readonly as: (serviceAccount: string) => KubeApi;
  /** Writes a kubeconfig of the administrator, or of one of `serviceAccounts`; `url`: another way to the server, for example through a proxy. */
  readonly kubeconfig: (options?: { readonly serviceAccount?: string; readonly url?: string }) => string;
  /** Takes all but the present from etcd. */
  readonly compact: () => Promise<void>;
}

export interface StartKubeOptions extends KubeOptions {
  readonly binaries: KubeBinaries;
  readonly cleanup: Cleanup;
}

/** Resolves when all answer. */
export async function startKubernetes({ binaries, cleanup, ...options }: StartKubeOptions): Promise<Kubernetes> {
  const dir = mkdtempSync(join(tmpdir(), "fairway-kube-"));
  cleanup(() => rm(dir, { recursive: true, force: true }));
  const users = usersOf(options.serviceAccounts ?? []);
  writeServerFiles(dir, tokenFileOf(users));

  const etcdUrl = `http://127.0.0.1:${await freePort()}`;
  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  const etcd = await startLabProcess({
    cleanup,
    command: [binaries.etcd, ...wordsOf(etcdFlags({ dir, url: etcdUrl, peerUrl }))],
    isReady: async () => (await fetch(`${etcdUrl}/health`)).ok,
  });

  const port = await freePort();
  const caFile = certificateIn(dir);
  const server = { url: `https://127.0.0.1:${port}`, caFile, ca: () => readFileSync(caFile, "utf8") };
  const admin = createKubeApi(server, userNamed(users, adminName));
  const apiServer = await startLabProcess({
    cleanup,
    command: [
      binaries["kube-apiserver"],
      ...wordsOf({ ...apiServerFlags({ dir, etcdUrl, port }), ...options.apiServerFlags }),
    ],
    isReady: async () => (await admin.send("GET", "/readyz")).status === 200,
  });

  const kubeconfig: Kubernetes["kubeconfig"] = ({ serviceAccount, url = server.url } = {}) => {
    const name = serviceAccount === undefined ? adminName : userOfServiceAccount(serviceAccount);
    const path = join(dir, `kubeconfig-${randomUUID()}`);
    writeFileSync(path, JSON.stringify(kubeconfigOf({ url, caFile }, userNamed(users, name))));
    return path;
  };
  return {
    ...{ etcd, apiServer, server, admin, kubeconfig },
    controllers:
      options.controllers &&
      (await startControllers({ binaries, cleanup, dir, kubeconfig: kubeconfig(), ...options.controllers })),
    as: (serviceAccount) => createKubeApi(server, userNamed(users, userOfServiceAccount(serviceAccount))),
    compact: () => compactEtcd(etcdUrl),
  };
}

interface ControllersOptions extends Pick<StartKubeOptions, "binaries" | "cleanup"> {
  readonly dir: string;
  readonly kubeconfig: string;
  readonly maxEndpointsPerSlice?: number;
}

async function startControllers({
  binaries,
  cleanup,
  maxEndpointsPerSlice = 100,
  ...rest
}: ControllersOptions): Promise<LabProcess> {
  const port = await freePort();
  return startLabProcess({
    cleanup,
    command: [
      binaries["kube-controller-manager"],
      ...wordsOf(controllerFlags({ ...rest, port, maxEndpointsPerSlice })),
    ],
    isReady: () => isOpen(`127.0.0.1:${port}`),
  });
}
