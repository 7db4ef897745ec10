import { createInterner } from "../../base/intern.ts";
import type { Labels } from "../../model/labels.ts";
import { formatLocality, type Locality, parseLocality } from "../../model/locality.ts";

const localities = createInterner<Locality>(formatLocality, (a, b) => formatLocality(a) === formatLocality(b));

/** One object for all that run there. */
export const localityOf = (region: string, zone: string, subzone: string): Locality =>
  localities.the({ region, zone, subzone });

/** The first of these labels, which has a value. */
const first = (labels: Labels, ...names: readonly string[]): string =>
  names.map((name) => labels[name] ?? "").find((value) => value !== "") ?? "";

/** What a pod says of itself: `region.zone.subzone`, as a label can have no slashes. */
export function podLocality(labels: Labels): Locality | undefined {
  const text = first(labels, "topology.istio.io/locality", "istio-locality");
  if (text === "") return undefined;
  const { region, zone, subzone } = parseLocality(text.includes("/") ? text : text.replaceAll(".", "/"));
  return localityOf(region, zone, subzone);
}

/** Where a node stands; undefined where it says neither region nor zone. */
export function nodeLocality(labels: Labels): Locality | undefined {
  const region = first(labels, "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region");
  const zone = first(labels, "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone");
  const subzone = first(labels, "topology.istio.io/subzone");
  return region === "" && zone === "" ? undefined : localityOf(region, zone, subzone);
}

export const unknownLocality: Locality = localityOf("", "", "");
