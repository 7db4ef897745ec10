import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";

/** The two forms of the protocol: every request the whole subscription, or only what is new in it. */
export type Wire = "sotw" | "delta";

/** The four ways of asking: all types on one stream or one stream a type, in each form. */
export type VariantName = "ads-sotw" | "ads-delta" | "single-sotw" | "single-delta";

export interface Variant {
  readonly name: VariantName;
  readonly wire: Wire;
  /** One stream for all types. */
  readonly ads: boolean;
}

export const variants: readonly Variant[] = [
  { name: "ads-sotw", wire: "sotw", ads: true },
  { name: "ads-delta", wire: "delta", ads: true },
  { name: "single-sotw", wire: "sotw", ads: false },
  { name: "single-delta", wire: "delta", ads: false },
];

export function variantOf(name: VariantName): Variant {
  const found = variants.find((variant) => variant.name === name);
  if (found === undefined) throw new Error(`no such variant: ${name}`);
  return found;
}

export const allVariants: readonly VariantName[] = variants.map(({ name }) => name);
export const sotwVariants: readonly VariantName[] = ["ads-sotw", "single-sotw"];
export const deltaVariants: readonly VariantName[] = ["ads-delta", "single-delta"];
export const adsVariants: readonly VariantName[] = ["ads-sotw", "ads-delta"];

/** The types that most cases are run over. LEDS is left out: its members have no names inside, and it has cases of its own. */
export const allTypes: readonly TypeName[] = ["LDS", "RDS", "CDS", "EDS", "SDS", "ECDS", "RTDS", "SRDS", "VHDS"];

/** Types for which a first request without names asks for everything. */
export const wildcardTypes: readonly TypeName[] = allTypes.filter((type) => resourceType(type).wildcard);

/** Types whose state-of-the-world responses carry the whole subscribed set. */
export const fullStateTypes: readonly TypeName[] = allTypes.filter((type) => resourceType(type).fullState);

/** The other ones: asked for by name, sent in part. */
export const namedTypes: readonly TypeName[] = allTypes.filter((type) => !resourceType(type).wildcard);

const adsService = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
const adsMethods: Readonly<Record<Wire, string>> = {
  sotw: "StreamAggregatedResources",
  delta: "DeltaAggregatedResources",
};

/** Why a type does not exist in a variant; undefined where it does. These are the only reasons for "not applicable" in every target. */
export function absentBecause({ wire }: Variant, type: TypeName): string | undefined {
  return resourceType(type).service[wire] === undefined ? `${type} exists only in the delta form` : undefined;
}

/** The gRPC method of a stream: of all types, or of one. */
export function methodOf({ wire, ads }: Variant, type: TypeName): string {
  if (ads) return `${adsService}/${adsMethods[wire]}`;
  const { service } = resourceType(type);
  const method = service[wire];
  if (method === undefined) throw new Error(`${type} has no ${wire} method`);
  return `${service.path}/${method}`;
}
