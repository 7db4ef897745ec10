import type { HttpConnectionManager } from "../envoy/filter-messages.ts";
import type { RouteConfiguration } from "../envoy/route-messages.ts";
import type { Around } from "./places.ts";

/** A route table, and who asks it. */
export interface TableAround {
  readonly table: RouteConfiguration;
  /** Where it stands. */
  readonly place: Around;
  readonly manager: HttpConnectionManager;
}
