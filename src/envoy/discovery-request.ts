import { fromBinary } from "@bufbuild/protobuf";
import { MeshError } from "../base/errors.ts";
import type { Node } from "../gen/envoy/config/core/v3/base_pb.ts";
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema } from "../gen/envoy/service/discovery/v3/discovery_pb.ts";

/** Most names, or known versions, that one request may carry. Real clients were seen with 60 000. */
export const maxNamesPerRequest = 100_000;
/** Longest resource name and type URL, in characters. */
export const maxNameLength = 4_096;
/** `client_features` of a node that are looked at, and the longest one that can be one that we know. */
const maxFeatures = 256;
const maxFeatureLength = 256;
/** Longest part of a node's locality, and longest name and version of its client, in characters: they are kept. */
const maxNodeTextLength = 1_024;
/** A longer error text of a proxy is cut. Envoy itself cuts at this length. */
export const maxErrorLength = 4_096;

/** The node of a request as plain data, not checked yet. */
export interface RequestNode {
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly locality: { readonly region: string; readonly zone: string; readonly subzone: string };
  /** Version as `major.minor.patch`, or as the client spells it; empty when it does not say. */
  readonly client: { readonly name: string; readonly version: string };
  /** `client_features`: what it says that it can. */
  readonly features: readonly string[];
}

interface AnyRequest {
  readonly typeUrl: string;
  readonly node?: RequestNode;
  /** Nonce of the response that this answers; empty for none. */
  readonly nonce: string;
  /** Why the proxy refused that response; its presence alone makes the request a NACK. Cut to `maxErrorLength`. */
  readonly error?: string;
}

/** A state-of-the-world request: `names` is the whole subscription. */
export interface SotwRequest extends AnyRequest {
  readonly names: readonly string[];
  /** `version_info`; on a type's first request of a stream, a proxy that is at work gives what it holds from an earlier one. */
  readonly version: string;
}

/** An incremental request. */
export interface DeltaRequest extends AnyRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the proxy holds from an earlier stream: name to version. */
  readonly knownVersions: ReadonlyMap<string, string>;
}

/** Throws `input/invalid` for bytes that are no request, and for one beyond the limits above. */
export function decodeSotwRequest(bytes: Uint8Array): SotwRequest {
  const request = decoded("DiscoveryRequest", () => fromBinary(DiscoveryRequestSchema, bytes));
  return { ...commonParts(request), names: resourceNames(request.resourceNames), version: request.versionInfo };
}

/** Throws `input/invalid` for bytes that are no request, and for one beyond the limits above. */
export function decodeDeltaRequest(bytes: Uint8Array): DeltaRequest {
  const request = decoded("DeltaDiscoveryRequest", () => fromBinary(DeltaDiscoveryRequestSchema, bytes));
  return {
    ...commonParts(request),
    subscribe: resourceNames(request.resourceNamesSubscribe),
    unsubscribe: resourceNames(request.resourceNamesUnsubscribe),
    knownVersions: checkedVersions(request.initialResourceVersions),
  };
}

function decoded<T>(message: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new MeshError("input/invalid", `the request is no ${message}`, { cause });
  }
}

function commonParts(request: {
  readonly node?: Node | undefined;
  readonly typeUrl: string;
  readonly responseNonce: string;
  readonly errorDetail?: { readonly code: number; readonly message: string } | undefined;
}): AnyRequest {
  const { node, typeUrl, responseNonce, errorDetail } = request;
  checkedNames([typeUrl]);
  return {
    typeUrl,
    nonce: responseNonce,
    ...(node === undefined ? {} : { node: requestNode(node) }),
    ...(errorDetail === undefined ? {} : { error: errorText(errorDetail.message, errorDetail.code) }),
  };
}

function errorText(message: string, code: number): string {
  return message === "" ? `refused without a text, status code ${code}` : message.slice(0, maxErrorLength);
}

function checkedVersions(versions: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  checkedNames(Object.keys(versions));
  checkedNames(Object.values(versions));
  return new Map(Object.entries(versions).map(([name, version]) => [canonicalName(name), version]));
}

const resourceNames = (names: readonly string[]): readonly string[] =>
  names.length === 0 ? noNames : checkedNames(names).map(canonicalName);

/** One list, as most requests name nothing. */
const noNames: readonly string[] = [];

/**
 * Names are opaque, with one exception: the context parameters of `xdstp://` names are a set, so that one order of them stands
 * for all. Source: xRFC TP1, "URI canonicalization".
 */
function canonicalName(name: string): string {
  if (!name.startsWith("xdstp://")) return name;
  const [, path = "", parameters, fragment = ""] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(name) ?? [];
  return parameters === undefined ? name : `${path}?${parameters.split("&").sort().join("&")}${fragment}`;
}

function checkedNames(names: readonly string[]): readonly string[] {
  if (names.length > maxNamesPerRequest) throw tooLarge(`${names.length} names`);
  const long = names.find((name) => name.length > maxNameLength);
  if (long !== undefined) throw tooLarge(`a name of ${long.length} characters`);
  return names;
}

const tooLarge = (found: string): MeshError =>
  new MeshError("input/invalid", `the request carries ${found}`, {
    hint: `At most ${maxNamesPerRequest} names of at most ${maxNameLength} characters are accepted.`,
  });

/** The parts of a node that are looked at. Throws `node/invalid` for one that is too long to be kept. */
export function requestNode(node: Node): RequestNode {
  const { region = "", zone = "", subZone = "" } = node.locality ?? {};
  const [name, version] = [node.userAgentName, clientVersion(node.userAgentVersionType)];
  const long = [region, zone, subZone, name, version].find((text) => text.length > maxNodeTextLength);
  if (long !== undefined) {
    throw new MeshError("node/invalid", `the node has a locality or a user agent of ${long.length} characters`, {
      hint: `At most ${maxNodeTextLength} are accepted.`,
    });
  }
  return {
    id: node.id,
    metadata: node.metadata ?? {},
    locality: { region, zone, subzone: subZone },
    client: { name, version },
    features: node.clientFeatures.slice(0, maxFeatures).filter(({ length }) => length <= maxFeatureLength),
  };
}

function clientVersion(agent: Node["userAgentVersionType"]): string {
  if (agent.case === "userAgentVersion") return agent.value;
  const version = agent.case === "userAgentBuildVersion" ? agent.value.version : undefined;
  return version === undefined ? "" : `${version.majorNumber}.${version.minorNumber}.${version.patch}`;
}
