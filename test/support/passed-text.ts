import { fromBinary } from "@bufbuild/protobuf";
import { resourceTypeOf } from "../../src/envoy/resource-types.ts";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import type { Passed } from "./cutting-proxy.ts";
import { readWireResource } from "./wire-resources.ts";

/** What went by, for people: one line each, times in milliseconds since `fromMs`. */
export function passedText(passed: readonly Passed[], variant: "delta" | "sotw", fromMs: number): readonly string[] {
  return passed.map((one) => {
    const at = `${(one.atMs - fromMs).toFixed(0).padStart(5)} ms  stream ${one.stream}`;
    if (one.what !== "message") return `${at}  ---- ${one.what}`;
    const text = variant === "delta" ? deltaText(one.from, one.bytes) : sotwText(one.from, one.bytes);
    return `${at}  ${one.from === "client" ? "->" : "<-"} ${text}${one.fate === "delivered" ? "" : `  (${one.fate})`}`;
  });
}

const short = (url: string): string => resourceTypeOf(url)?.short ?? url;
const list = (sign: string, names: readonly string[]): string => names.map((name) => ` ${sign}${name}`).join("");
const versioned = (name: string, version: string): string => ` ${name}@${version.slice(0, 6)}`;

function deltaText(from: "client" | "server", bytes: Uint8Array): string {
  if (from === "client") {
    const request = fromBinary(DeltaDiscoveryRequestSchema, bytes);
    const known = Object.entries(request.initialResourceVersions).map(([name, version]) => versioned(name, version));
    return [
      `${short(request.typeUrl)} ${answer(request.responseNonce, request.errorDetail?.message)}`,
      list("+", request.resourceNamesSubscribe),
      list("-", request.resourceNamesUnsubscribe),
      known.length > 0 ? ` holds${known.join("")}` : "",
    ].join("");
  }
  const response = fromBinary(DeltaDiscoveryResponseSchema, bytes);
  const resources = response.resources.map(({ name, version }) => versioned(name, version));
  return `${short(response.typeUrl)} #${response.nonce}${resources.join("")}${list("-", response.removedResources)}`;
}

function sotwText(from: "client" | "server", bytes: Uint8Array): string {
  if (from === "client") {
    const request = fromBinary(DiscoveryRequestSchema, bytes);
    return `${short(request.typeUrl)} ${answer(request.responseNonce, request.errorDetail?.message)}${list("", request.resourceNames)}`;
  }
  const response = fromBinary(DiscoveryResponseSchema, bytes);
  const names = response.resources.map(({ value }) => readWireResource(value).name);
  return `${short(response.typeUrl)} #${response.nonce}${list("", names)}`;
}

const answer = (nonce: string, error: string | undefined): string => {
  if (error !== undefined) return `NACK ${nonce}: ${error}`;
  return nonce === "" ? "ask" : `ACK ${nonce}`;
};
