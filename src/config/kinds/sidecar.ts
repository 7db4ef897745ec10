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
import { bindAddress, labels, namespacedHost, portNumber } from "../fields.ts";
import { checkUnique } from "../unique.ts";
import { type HttpPortProtocol, httpPortProtocol } from "./gateway.ts";

interface SidecarPort {
  readonly number: number;
  readonly protocol: HttpPortProtocol;
  /** May be empty. */
  readonly name: string;
}

/** A listener for calls to this workload. */
export interface IngressListener {
  readonly port: SidecarPort;
  /** An IP address; the workload's own address when not given. */
  readonly bind?: string;
  /** Where the application listens: `127.0.0.1:PORT`, `[::1]:PORT`, `0.0.0.0:PORT` or `[::]:PORT` (the workload's own address). */
  readonly defaultEndpoint: { readonly address: string; readonly port: number };
}

/** A listener that the application calls other services through. */
export interface EgressListener {
  /** Services with this port number are reached through it. */
  readonly port: SidecarPort;
  /** An IP address; 127.0.0.1 when not given. */
  readonly bind?: string;
  /** As written: `namespace/host`, where namespace may be `*`, `.` or `~` (none) and host may be a wildcard. */
  readonly hosts: readonly string[];
}

/** A Sidecar (`networking.istio.io`): what a workload's proxy opens and what it may see. Without packet capture only. */
export interface SidecarSpec {
  /** Labels of the workloads; none: the default of its namespace (or, in the root namespace, of the mesh). */
  readonly workloadSelector?: Selector;
  readonly ingress: readonly IngressListener[];
  /** None: every service of the mesh is visible, and no listener is opened. */
  readonly egress: readonly EgressListener[];
}

const port: Decoder<SidecarPort> = object(
  {
    number: required(portNumber),
    protocol: required(httpPortProtocol),
    name: withDefault(text({ minLength: 0, maxLength: 63 }), ""),
  },
  { unsupported: ["targetPort"] },
);

const withoutCapture = "Packet capture is not carried out yet: write captureMode: NONE.";
const captureMode = required(choice({ NONE: "NONE" }, { unsupported: ["DEFAULT", "IPTABLES"] }), withoutCapture);

const endpointGrammar =
  /^(127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\[::\]):([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$/;

function parseEndpoint(value: string): IngressListener["defaultEndpoint"] | undefined {
  const [, host = "", port] = endpointGrammar.exec(value) ?? [];
  return port === undefined ? undefined : { address: host.replace(/[[\]]/g, ""), port: Number(port) };
}

const localEndpoint = parsed(parseEndpoint, "127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or [::]:PORT", {
  pattern: endpointGrammar,
});

const defaultEndpoint: Decoder<IngressListener["defaultEndpoint"]> = described(
  (value, site) =>
    typeof value === "string" && value.startsWith("unix://")
      ? fail(site, "unsupported-value", "Unix domain sockets are not carried out yet.", "Use 127.0.0.1:PORT.")
      : localEndpoint(value, site),
  () => schemaOf(localEndpoint),
);

/** `captureMode` has only one value so far, so it is checked and not kept. */
function withoutMode<T extends { readonly captureMode: unknown }>({ captureMode: _, ...listener }: T) {
  return listener;
}

const ingressListener: Decoder<IngressListener> = mapped(
  object(
    {
      port: required(port),
      bind: optional(bindAddress),
      captureMode,
      defaultEndpoint: required(defaultEndpoint, "Say where the application listens, for example 127.0.0.1:8080."),
    },
    { unsupported: ["tls", "connectionPool"] },
  ),
  withoutMode,
);

const egressListener: Decoder<EgressListener> = mapped(
  object({
    port: required(port, "A listener for all other ports needs packet capture, which is not carried out yet."),
    bind: optional(bindAddress),
    captureMode,
    hosts: required(list(namespacedHost(["*", ".", "~"], { optional: false }), { min: 1 })),
  }),
  withoutMode,
);

const listeners = <T extends { readonly port: SidecarPort }>(listener: Decoder<T>): Decoder<readonly T[]> =>
  refined(
    list(listener),
    (items, site) =>
      checkUnique(items, ({ port: { number } }) => number, { site, step: ["port", "number"], what: "port number" }),
    { uniqueItems: true },
  );

const workloadSelector = mapped(object({ labels: withDefault(labels, {}) }), (selector) => selector.labels);

const some = { type: "array", minItems: 1 } as const;

export const sidecar: Decoder<SidecarSpec> = refined(
  object(
    {
      workloadSelector: optional(workloadSelector),
      ingress: withDefault(listeners(ingressListener), []),
      egress: withDefault(listeners(egressListener), []),
    },
    { unsupported: ["outboundTrafficPolicy", "inboundConnectionPool"] },
  ),
  ({ ingress, egress }, site) => {
    if (ingress.length + egress.length === 0) {
      fail(site, "invalid-value", "The Sidecar says nothing.", "Give it ingress or egress listeners.");
    }
    const taken = new Map(ingress.map(({ bind, port: { number } }, index) => [`${bind} ${number}`, index]));
    for (const [
      index,
      {
        bind = "127.0.0.1",
        port: { number },
      },
    ] of egress.entries()) {
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
