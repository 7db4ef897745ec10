import { MeshError } from "../base/errors.ts";
import { canonicalAddress } from "./address-bits.ts";
import { isIpAddress } from "./ip-address.ts";
import type { Labels } from "./labels.ts";
import type { Locality } from "./locality.ts";

/** `proxyless`: a gRPC client or server that speaks xDS itself, with no Envoy beside it. */
export type ProxyKind = "sidecar" | "gateway" | "proxyless";

/** How traffic gets into a sidecar: by packet redirection, or (`none`) because the application dials its listeners. */
export type InterceptionMode = "redirect" | "tproxy" | "none";

/** A proxy, as the node of its first request names it. */
export interface ProxyNode {
  /** The whole `node.id`. */
  readonly id: string;
  readonly kind: ProxyKind;
  readonly name: string;
  readonly namespace: string;
  /** The DNS domain that short names of its workload are completed with, for example `shop.svc.cluster.local`. */
  readonly dnsDomain: string;
  /** Its own addresses; at least one. */
  readonly addresses: readonly string[];
  readonly labels: Labels;
  readonly serviceAccount: string;
  readonly clusterId: string;
  readonly network: string;
  readonly locality: Locality;
  /** The node of its platform that it runs on; empty when it does not say. */
  readonly nodeName: string;
  readonly interceptionMode: InterceptionMode;
  /** What runs there, for example `envoy` 1.40.0; the version is empty when the client does not say. */
  readonly client: { readonly name: string; readonly version: string };
}

/** The parts of an xDS node that we read, as plain data. */
export interface NodeIdentity {
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly locality: Locality;
  readonly client: { readonly name: string; readonly version: string };
}

const kinds: ReadonlyMap<string, ProxyKind> = new Map([
  ["sidecar", "sidecar"],
  ["router", "gateway"],
]);

/** Istio's mark in the metadata of proxyless workloads; gRPC's libraries name themselves besides, for example `gRPC Go`. */
const isProxyless = ({ metadata, client }: NodeIdentity): boolean =>
  metadata["GENERATOR"] === "grpc" || /^gRPC\b/.test(client.name);

const interceptionModes: ReadonlyMap<string, InterceptionMode> = new Map([
  ["REDIRECT", "redirect"],
  ["TPROXY", "tproxy"],
  ["NONE", "none"],
]);

/** Longest part of a node that is kept; more is refused. */
const maxTextLength = 1024;
const maxLabels = 256;

/**
 * Parses a proxy's own name, `<sidecar|router>~<ip>~<name>.<namespace>~<domain>`, and the metadata that Istio's proxies send.
 * A gRPC client names itself as a sidecar does.
 * Throws `node/invalid` with what was expected.
 */
export function parseProxyNode(node: NodeIdentity): ProxyNode {
  const parts = node.id.split("~");
  const [kindText = "", ip = "", workload = "", dnsDomain = ""] = parts;
  const kind = kinds.get(kindText);
  if (
    node.id.length > maxTextLength ||
    parts.length !== 4 ||
    kind === undefined ||
    workload === "" ||
    dnsDomain === ""
  ) {
    throw new MeshError("node/invalid", `node.id ${JSON.stringify(node.id.slice(0, 200))} does not name a proxy`, {
      hint: "It must read <sidecar|router>~<ip>~<name>.<namespace>~<namespace>.svc.<domain>.",
    });
  }
  const instanceAddresses = stringList(node.metadata["INSTANCE_IPS"]);
  const addresses = (instanceAddresses.length > 0 ? instanceAddresses : [ip]).filter(isIpAddress).map(canonicalAddress);
  if (addresses.length === 0) {
    throw new MeshError("node/invalid", `node.id ${JSON.stringify(node.id)} has no IP address`, {
      hint: "Give the proxy's IP address as the second part of node.id or in the metadata INSTANCE_IPS.",
    });
  }
  const dot = workload.lastIndexOf(".");
  const text = (key: string): string | undefined => {
    const value = node.metadata[key];
    return typeof value === "string" && value.length <= maxTextLength ? value : undefined;
  };
  return {
    id: node.id,
    kind: kind === "sidecar" && isProxyless(node) ? "proxyless" : kind,
    name: dot < 0 ? workload : workload.slice(0, dot),
    namespace: text("NAMESPACE") ?? dnsDomain.split(".")[0] ?? "default",
    dnsDomain,
    addresses,
    labels: labelsOf(node.metadata["LABELS"]),
    serviceAccount: text("SERVICE_ACCOUNT") ?? "",
    clusterId: text("CLUSTER_ID") ?? "",
    network: text("NETWORK") ?? "",
    locality: node.locality,
    nodeName: text("NODE_NAME") ?? "",
    interceptionMode: interceptionModes.get(text("INTERCEPTION_MODE") ?? "") ?? "redirect",
    client: node.client,
  };
}

function stringList(value: unknown): readonly string[] {
  return typeof value === "string" && value.length <= maxTextLength
    ? value.split(",").filter((part) => part !== "")
    : [];
}

function labelsOf(value: unknown): Labels {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  const pairs = Object.entries(value).filter(
    (pair): pair is [string, string] =>
      typeof pair[1] === "string" && pair[0].length <= maxTextLength && pair[1].length <= maxTextLength,
  );
  return Object.fromEntries(pairs.slice(0, maxLabels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
