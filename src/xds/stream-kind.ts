import type { TypeName } from "../envoy/resource-types.ts";
import type { Variant } from "./response-cache.ts";

/** What the method of a stream serves: all types (ADS), or only one. */
export interface StreamKind {
  readonly variant: Variant;
  readonly only?: TypeName;
}
