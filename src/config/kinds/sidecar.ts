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
import { hasField, orNull } from "../../base/json-schema.ts";
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

/**
 * How connections come to a listener. `DEFAULT`: as to the whole sidecar, which captures them unless it says otherwise itself; `NONE`: they
 * are made to the address that it is bound to.
 */
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

/** A Sidecar (`networking.istio.io`): what a workload's proxy opens and what it may see. */
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

const ingressListener: Decoder<IngressListener> = refined(
  object(
    { port: required(port), bind: optional(bindAddress), captureMode, defaultEndpoint: optional(defaultEndpoint) },
    { unsupported: ["tls", "connectionPool"] },
  ),
  ({ captureMode, defaultEndpoint }, site) => {
    if (captureMode !== "NONE" || defaultEndpoint !== undefined) return;
    const hint =
      "Say where the application listens, for example 127.0.0.1:8080: only a captured listener knows what was dialled.";
    fail(below(site, "defaultEndpoint"), "missing-field", "The field defaultEndpoint is missing.", hint);
  },
  {
    anyOf: [
      hasField("defaultEndpoint", { type: "string" }),
      { properties: { captureMode: orNull({ type: "string", enum: ["DEFAULT", "IPTABLES"] }) } },
    ],
  },
);

const egressListener: Decoder<EgressListener> = refined(
  object({
    port: optional(port),
    bind: optional(bindAddress),
    captureMode,
    hosts: required(list(namespacedHost(["*", ".", "~"], { optional: false }), { min: 1 })),
  }),
  ({ port, bind }, site) => {
    if (port !== undefined || bind === undefined) return;
    const message = "A listener for all other ports is bound to no address of its own.";
    fail(below(site, "bind"), "conflict", message, "Remove it, or name a port.");
  },
  { anyOf: [hasField("port", { type: "object" }), { properties: { bind: { type: "null" } } }] },
);

function checkPortNumbers(items: readonly { readonly port?: SidecarPort }[], site: Site): void {
  checkUnique(items, ({ port }) => port?.number, { site, step: ["port", "number"], what: "port number" });
}

const ingress = refined(list(ingressListener), checkPortNumbers, { uniqueItems: true });

const egress = refined(
  list(egressListener),
  (items, site) => {
    checkPortNumbers(items, site);
    for (const [index, { port }] of items.slice(0, -1).entries()) {
      if (port !== undefined) continue;
      const message = "A listener without a port takes all ports that are left, so only the last one may be without.";
      fail(below(below(site, index), "port"), "missing-field", message, "Name its port, or move it to the end.");
    }
  },
  { uniqueItems: true },
);

/** Istio's enumeration begins with REGISTRY_ONLY, so that is what an empty policy says. */
const outboundMode = withDefault(
  choice({ REGISTRY_ONLY: "REGISTRY_ONLY", ALLOW_ANY: "ALLOW_ANY" } as const, {
    unsupported: ["ALLOW_ANY_DYNAMIC_DNS"],
  }),
  "REGISTRY_ONLY",
);

const outboundTrafficPolicy = mapped(
  object({ mode: outboundMode }, { unsupported: ["egressProxy"] }),
  ({ mode }) => mode,
);

const workloadSelector = mapped(object({ labels: withDefault(labels, {}) }), (selector) => selector.labels);

/** What is bound cannot be bound twice; captured connections need no address. */
function checkBinds({ ingress, egress }: SidecarSpec, site: Site): void {
  const taken = new Map(
    ingress.flatMap(({ captureMode, bind, port: { number } }, index) =>
      captureMode === "NONE" && bind !== undefined ? [[`${bind} ${number}`, index] as const] : [],
    ),
  );
  for (const [index, { captureMode, bind = "127.0.0.1", port }] of egress.entries()) {
    const other = port && captureMode === "NONE" ? taken.get(`${bind} ${port.number}`) : undefined;
    if (port === undefined || other === undefined) continue;
    const at = ["egress", index, "port", "number"].reduce<Site>(below, site);
    const message = `Port ${port.number} of ${bind} is taken already: ingress listener ${other} listens there.`;
    fail(at, "conflict", message, "Give one of the two another bind address or port.");
  }
}

const some = { type: "array", minItems: 1 } as const;

export const sidecar: Decoder<SidecarSpec> = refined(
  object(
    {
      workloadSelector: optional(workloadSelector),
      ingress: withDefault(ingress, []),
      egress: withDefault(egress, []),
      outboundTrafficPolicy: optional(outboundTrafficPolicy),
    },
    { unsupported: ["inboundConnectionPool"] },
  ),
  (spec, site) => {
    if (spec.ingress.length + spec.egress.length === 0 && spec.outboundTrafficPolicy === undefined) {
      const hint = "Give it ingress or egress listeners, or an outboundTrafficPolicy.";
      fail(site, "invalid-value", "The Sidecar says nothing.", hint);
    }
    checkBinds(spec, site);
  },
  {
    anyOf: [hasField("ingress", some), hasField("egress", some), hasField("outboundTrafficPolicy", { type: "object" })],
  },
);
