import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Of a flag's name to its value. */
type Flags = Readonly<Record<string, string | number | boolean>>;

export const wordsOf = (flags: Flags): readonly string[] =>
  Object.entries(flags).map(([name, value]) => `--${name}=${value}`);

/** In the folder of a lab. */
const files = { key: "sa.key", publicKey: "sa.pub", tokens: "tokens.csv", certificate: "apiserver.crt", data: "etcd" };

/** Where the API server leaves the certificate that it signs itself. */
export const certificateIn = (dir: string): string => join(dir, files.certificate);

/** Writes what the API server reads: the keys that service accounts are signed with, and who has which token. */
export function writeServerFiles(dir: string, tokens: string): void {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  writeFileSync(join(dir, files.key), privateKey.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(join(dir, files.publicKey), publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(join(dir, files.tokens), tokens);
}

export interface EtcdPlan {
  readonly dir: string;
  readonly url: string;
  readonly peerUrl: string;
}

export const etcdFlags = ({ dir, url, peerUrl }: EtcdPlan): Flags => ({
  "data-dir": join(dir, files.data),
  "listen-client-urls": url,
  "advertise-client-urls": url,
  "listen-peer-urls": peerUrl,
  "unsafe-no-fsync": true,
  "log-level": "error",
});

export interface ApiServerPlan {
  readonly dir: string;
  readonly etcdUrl: string;
  readonly port: number;
}

const issuer = "https://kubernetes.default.svc";

export const apiServerFlags = ({ dir, etcdUrl, port }: ApiServerPlan): Flags => ({
  "etcd-servers": etcdUrl,
  "bind-address": "127.0.0.1",
  "secure-port": port,
  // Nobody is there: what is asked for is an address that is none of the loopback, and needs no default route.
  "advertise-address": "192.0.2.1",
  "endpoint-reconciler-type": "none",
  "cert-dir": dir,
  "token-auth-file": join(dir, files.tokens),
  "authorization-mode": "RBAC",
  "service-account-issuer": issuer,
  "api-audiences": issuer,
  "service-account-key-file": join(dir, files.publicKey),
  "service-account-signing-key-file": join(dir, files.key),
  "service-cluster-ip-range": "10.0.0.0/16,fd00:10::/112",
  // Pods need not wait for their namespace's account.
  "disable-admission-plugins": "ServiceAccount",
  "allow-privileged": true,
  "enable-priority-and-fairness": false,
  profiling: false,
  // Tests compact when they like.
  "etcd-compaction-interval": 0,
});

export interface ControllersPlan {
  readonly dir: string;
  readonly kubeconfig: string;
  readonly port: number;
  readonly maxEndpointsPerSlice: number;
}

const controllers = [
  ...["endpointslice-controller", "endpointslice-mirroring-controller", "namespace-controller"],
  ...["serviceaccount-controller", "garbage-collector-controller"],
  ...["deployment-controller", "replicaset-controller", "statefulset-controller"],
];

export const controllerFlags = ({ dir, kubeconfig, port, maxEndpointsPerSlice }: ControllersPlan): Flags => ({
  kubeconfig,
  "leader-elect": false,
  "use-service-account-credentials": false,
  "service-account-private-key-file": join(dir, files.key),
  "root-ca-file": certificateIn(dir),
  "bind-address": "127.0.0.1",
  "secure-port": port,
  "max-endpoints-per-slice": maxEndpointsPerSlice,
  controllers: controllers.join(),
});
