import type { Agent as HttpAgent } from "node:http";
import type { SecureContextOptions } from "node:tls";

/** What one request needs: where it goes, and what says who asks. */
export interface KubeLogin {
  /** Base URL of the API server, which may have a path. */
  readonly server: string;
  /** Who asks, as messages name it: the user of the kubeconfig. */
  readonly user: string;
  /** `Authorization`, `Impersonate-User`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: KubeTls;
  /** Of a cluster behind a proxy; absent: the client's own. */
  readonly agent?: HttpAgent;
}

export interface KubeTls extends Pick<SecureContextOptions, "ca" | "cert" | "key"> {
  readonly rejectUnauthorized?: boolean;
  readonly servername?: string;
}

/** Who asks which server. Both may change while the process runs: tokens, certificates and credential plugins rotate. */
export interface KubeAccess {
  /** As it is now. Throws `kubernetes/access` when nothing usable was ever read. */
  readonly login: () => Promise<KubeLogin>;
  /** The server did not accept the login: the next one is read from scratch. */
  readonly refused: () => void;
}
