import type { JsonPointer } from "../base/json-pointer.ts";
import type { MatchingRoute, VirtualHost } from "../envoy/route-messages.ts";
import { asCharacters } from "../envoy/string-matcher.ts";
import { changesBetween } from "./changes.ts";
import { destinationOf } from "./destination.ts";
import type { Change, Result } from "./explanation.ts";
import { type Forward, type StageLevel, stageOf } from "./forward.ts";
import { type Around, originsOf, within } from "./places.ts";
import { policiesOf } from "./policies.ts";
import type { Facts } from "./request.ts";
import { routedRequest } from "./routed-request.ts";
import type { Semantics } from "./semantics.ts";
import type { TableAround } from "./table-around.ts";

/** Where a route that forwards stands, and the request that it takes. */
export interface ForwardAround {
  readonly route: MatchingRoute;
  readonly host: VirtualHost;
  readonly around: TableAround;
  readonly hostPlace: Around;
  readonly routePlace: Around;
  readonly facts: Facts;
  readonly semantics: Semantics;
}

/** What Envoy answers where a route names a cluster that is not there. */
const missingStatuses: Readonly<Record<number, number>> = { 0: 503, 1: 404, 2: 500 };

/** Throws where the route does not forward. */
export function explainForward(
  forward: Forward,
  { route, host, around, hostPlace, routePlace, facts, semantics }: ForwardAround,
): Result {
  const { table, manager, place } = around;
  if (route.action.case !== "route") throw new Error(`a route that forwards does not ${route.action.case}`);
  const clusterPlace = within(routePlace, clusterPointer(route, forward));
  const origins = originsOf(forward.clusterIndex === undefined ? clusterPlace : within(clusterPlace, "/name"));
  const destination = destinationOf(place.configuration, forward.cluster, origins);
  if (destination.leadsTo.kind === "missing") {
    const status = missingStatuses[route.action.value.clusterNotFoundResponseCode] ?? 503;
    return { kind: "answer", status, reason: `the proxy has no cluster ${JSON.stringify(forward.cluster)}` };
  }
  const settings = weightedAt(route, forward.clusterIndex)?.typedPerFilterConfig;
  const cluster = { name: forward.cluster, ...(settings && { settings }) };
  return {
    ...{ kind: "forward", ...destination },
    request: routedRequest({ ...facts, authority: forward.authority, path: forward.path }),
    takesNameOfInstance: forward.isNamedByEndpoint,
    headers: [...forward.headers].flatMap(([name, values]) =>
      values.map((value) => [name, asCharacters(value)] as const),
    ),
    changes: changesOf(facts, forward, {
      ...{ proxy: undefined, route: routePlace, "virtual-host": hostPlace, "route-table": place },
      cluster: clusterPlace,
    }),
    policies: policiesOf(route.action.value, { manager, table, host, route, cluster, facts, semantics }),
    origins,
  };
}

function weightedAt({ action }: MatchingRoute, index: number | undefined) {
  if (action.case !== "route" || action.value.clusterSpecifier.case !== "weightedClusters") return undefined;
  return index === undefined ? undefined : action.value.clusterSpecifier.value.clusters[index];
}

/** Which part of a route speaks of the cluster. */
const clusterPointer = ({ action }: MatchingRoute, { clusterIndex }: Forward): JsonPointer =>
  clusterIndex === undefined
    ? `/route/${(action.case === "route" && action.value.clusterSpecifier.case) || "cluster"}`
    : `/route/weightedClusters/clusters/${clusterIndex}`;

function changesOf(
  facts: Facts,
  forward: Forward,
  places: Readonly<Record<StageLevel, Around | undefined>>,
): readonly Change[] {
  let before = stageOf(facts);
  return forward.steps.flatMap(({ by, pointer, stage }) => {
    const around = places[by];
    const changes = changesBetween(before, stage, by, around && { around, pointer });
    before = stage;
    return changes;
  });
}
