import type { JsonPointer } from "../base/json-pointer.ts";
import type { Origin } from "../envoy/provenance.ts";
import type { ProxyResources, ResourcePlace, RoutingType } from "../envoy/proxy-resources.ts";
import type { Workload } from "./workload.ts";

/** Who gave a part of the configuration; of a rule its place in a file too, where it is known. */
export type PlacedOrigin = Origin & { readonly file?: string; readonly line?: number; readonly column?: number };

/** Where the field of a rule stands; nothing where the rule came without a file. */
export type LocateRule = (rule: string, pointer: JsonPointer) => Omit<PlacedOrigin, keyof Origin>;

/** What an explanation is made from. */
export interface Configuration {
  readonly resources: ProxyResources;
  readonly locate: LocateRule;
  /** Absent: the configuration is all that is known, as of a dump. */
  readonly workload?: Workload;
}

export const nowhere: LocateRule = () => ({});

/** A part of a resource whose parts are spoken of: a pointer below it leads further. */
export interface Around {
  readonly configuration: Configuration;
  readonly place: ResourcePlace;
}

export const around = (configuration: Configuration, type: RoutingType, name: string, pointer = ""): Around => ({
  configuration,
  place: { type, name, pointer },
});

/** `below`: a pointer from there on. */
export const within = ({ configuration, place }: Around, below: JsonPointer): Around => ({
  configuration,
  place: { ...place, pointer: place.pointer + below },
});

export const originsOf = ({ configuration: { resources, locate }, place }: Around): readonly PlacedOrigin[] =>
  resources
    .originsAt(place)
    .map((origin) => (origin.kind === "rule" ? { ...origin, ...locate(origin.rule, origin.pointer) } : origin));
