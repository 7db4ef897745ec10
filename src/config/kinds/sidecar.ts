import {
  below,
  choice,
  type Decoder,
  described,
  fail,
  list,
  mapped,
  parsed,
  refined,
  type Site,
  schemaOf,
  text,
} from "../../base/decode.ts";
import { object, optional, required, withDefault } from "../../base/decode-object.ts";
import { hasField } from "../../base/json-schema.ts";
import type { Selector } from "../../model/labels.ts";
import type { MeshSettings } from "../../model/mesh-settings.ts";
import { bindAddress, labels, namespacedHost, portNumber } from "../fields.ts";
import { checkUnique } from "../unique.ts";
import { type HttpPortProtocol, httpPortProtocol } from "./gateway.ts";

interface SidecarPort {
  readonly number: number;
  readonly protocol: HttpPortProtocol;
  /** May be empty. */
  readonly name: string;
}

/** How connections come to a listener: `DEFAULT`: as to the whole sidecar, captured mostly; `NONE`: they are made to its address. */
export type CaptureMode = "DEFAULT" | "NONE";

/** A listener for calls to this workload. */
export interface IngressListener {
  readonly port: SidecarPort;
  /** An IP address; the workload's own address when not given. */
  readonly bind?: string;
  readonly captureMode: CaptureMode;
  /**
   * Where the application listens: `127.0.0.1:PORT`, `[::1]:PORT`, `0.0.0.0:PORT` or `[::]:PORT` (the workload's own address). Not given:
   * at the address and port that were dialled, which only a captured listener knows.
   */
  readonly defaultEndpoint?: LocalEndpoint;
}

interface LocalEndpoint {
  readonly address: string;
  readonly port: number;
}

/** A listener that the application calls other services through. */
export interface EgressListener {
  /** Services with this port number are reached through it; not given, which only the last one may be: those of all other ports. */
  readonly port?: SidecarPort;
  /** An IP address; not given: all addresses where it is captured, else 127.0.0.1. Only beside a port. */
  readonly bind?: string;
  readonly captureMode: CaptureMode;
  /** As written: `namespace/host`, where namespace may be `*`, `.` or `~` (none) and host may be a wildcard. */
  readonly hosts: readonly string[];
}

/** A Sidecar (`networking.istio.io`): what a workload's proxy opens and what it may see. Without packet capture only. */
export interface SidecarSpec {
  /** Labels of the workloads; none: the default of its namespace (or, in the root namespace, of the mesh). */
  readonly workloadSelector?: Selector;
  readonly ingress: readonly IngressListener[];
  /** None: as for a sidecar without a rule, every service of the mesh is visible. */
  readonly egress: readonly EgressListener[];
  /** What is done with destinations that no registry knows; not given: as the mesh's settings say. */
  readonly outboundTrafficPolicy?: MeshSettings["outboundTrafficPolicy"];
}

const port: Decoder<SidecarPort> = object(
  {
    number: required(portNumber),
    protocol: required(httpPortProtocol),
    name: withDefault(text({ minLength: 0, maxLength: 63 }), ""),
  },
  { unsupported: ["targetPort"] },
);

const captureMode = withDefault(choice({ DEFAULT: "DEFAULT", IPTABLES: "DEFAULT", NONE: "NONE" } as const), "DEFAULT");

const endpointGrammar =
  /^(127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\[::\]):([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$/;

function parseEndpoint(value: string): LocalEndpoint | undefined {
  const [, host = "", port] = endpointGrammar.exec(value) ?? [];
  return port === undefined ? undefined : { address: host.replace(/[[\]]/g, ""), port: Number(port) };
}

const localEndpoint = parsed(parseEndpoint, "127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or [::]:PORT", {
  pattern: endpointGrammar,
});

const defaultEndpoint: Decoder<LocalEndpoint> = described(
  (value, site) =>
    typeof value === "string" && value.startsWith("unix://")
      ? fail(site, "unsupported-value", "Unix domain sockets are not carried out yet.", "Use 127.0.0.1:PORT.")
      : localEndpoint(value, site),
  () => schemaOf(localEndpoint),
);

const ingressListener: Decoder<IngressListener> = object(
  {
    port: required(port),
    bind: optional(bindAddress),
    captureMode,
    defaultEndpoint: optional(defaultEndpoint),
  },
  { unsupported: ["tls", "connectionPool"] },
);

const egressListener: Decoder<EgressListener> = object({
  port: optional(port),
  bind: optional(bindAddress),
  captureMode,
  hosts: required(list(namespacedHost(["*", ".", "~"], { optional: false }), { min: 1 })),
});

const listeners = <T extends { readonly port?: SidecarPort }>(listener: Decoder<T>): Decoder<readonly T[]> =>
  refined(
    list(listener),
    (items, site) =>
      checkUnique(items, ({ port }) => port?.number ?? 0, { site, step: ["port", "number"], what: "port number" }),
    { uniqueItems: true },
  );

const outboundMode = choice({ REGISTRY_ONLY: "REGISTRY_ONLY", ALLOW_ANY: "ALLOW_ANY" } as const);

const workloadSelector = mapped(object({ labels: withDefault(labels, {}) }), (selector) => selector.labels);

const some = { type: "array", minItems: 1 } as const;

export const sidecar: Decoder<SidecarSpec> = refined(
  object(
    {
      workloadSelector: optional(workloadSelector),
      ingress: withDefault(listeners(ingressListener), []),
      egress: withDefault(listeners(egressListener), []),
      outboundTrafficPolicy: optional(mapped(object({ mode: required(outboundMode) }), ({ mode }) => mode)),
    },
    { unsupported: ["inboundConnectionPool"] },
  ),
  ({ ingress, egress }, site) => {
    if (ingress.length + egress.length === 0) {
      fail(site, "invalid-value", "The Sidecar says nothing.", "Give it ingress or egress listeners.");
    }
    const taken = new Map(ingress.map(({ bind, port: { number } }, index) => [`${bind} ${number}`, index]));
    for (const [index, { bind = "127.0.0.1", port }] of egress.entries()) {
      const number = port?.number ?? 0;
      const other = taken.get(`${bind} ${number}`);
      if (other === undefined) continue;
      const at = ["egress", index, "port", "number"].reduce<Site>(below, site);
      const message = `Port ${number} of ${bind} is taken already: ingress listener ${other} listens there.`;
      fail(at, "conflict", message, "Give one of the two another bind address or port.");
    }
  },
  {
    anyOf: [hasField("ingress", some), hasField("egress", some)],
  },
);
