import type { JsonPointer } from "../../base/json-pointer.ts";
import type { Hostname } from "../../model/hostname.ts";
import type { HttpDestination } from "../kinds/virtual-service.ts";
import type { Rule } from "../rule.ts";
import type { References } from "./references.ts";

export interface LocatedDestination {
  /** Of the `destination` field. */
  readonly pointer: JsonPointer;
  readonly destination: HttpDestination;
  readonly host: Hostname | undefined;
}

/** Every destination of a VirtualService, in the order of the document. */
export function destinationsOf(
  rule: Rule<"VirtualService">,
  { hostOf }: Pick<References, "hostOf">,
): readonly LocatedDestination[] {
  return rule.spec.http.flatMap(({ route }, i) =>
    route.map((destination, j) => ({
      pointer: `/spec/http/${i}/route/${j}/destination`,
      destination,
      host: hostOf(rule, destination.host),
    })),
  );
}
