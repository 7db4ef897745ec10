import { nearest } from "../../base/nearest.ts";
import type { Known } from "./known.ts";
import type { TargetOf } from "./references.ts";

/** Gateways that a VirtualService is bound to and that do not exist. */
export const isMissingGateway = ({ gateway }: TargetOf<"gateway">, known: Known): boolean => !known.hasGateway(gateway);

export function hintForGateway({ namespace, name }: TargetOf<"gateway">, known: Known): string {
  const near = nearest(`${namespace}/${name}`, known.gateways());
  return near === undefined ? "Write the Gateway, or remove its name here." : `Did you mean ${near}?`;
}
