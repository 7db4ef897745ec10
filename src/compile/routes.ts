import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { HttpDestination } from "../config/kinds/virtual-service.ts";
import type { Rule } from "../config/rule.ts";
import { outboundClusterName } from "../envoy/names.ts";
import { packAny } from "../envoy/pack.ts";
import { type Origin, trace } from "../envoy/provenance.ts";
import {
  type RetryPolicy,
  RetryPolicySchema,
  type Route,
  type RouteAction,
  RouteActionSchema,
  RouteSchema,
  type WeightedCluster_ClusterWeight,
  WeightedCluster_ClusterWeightSchema,
} from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { PreviousHostsPredicateSchema } from "../gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { Service } from "../model/service.ts";
import { expandHost } from "./hosts.ts";
import { below, fromRule, type RuleOrigin } from "./origins.ts";
import { isCatchAll, routeMatch } from "./route-match.ts";
import { duration } from "./wire-values.ts";

/**
 * The routes of a VirtualService in its order; what follows the first catch-all could never match and is left out.
 * `services` are those that its destinations mean, one for each destination in the order of the document, undefined where
 * nobody has the host. `listenerPort` is the port that requests come in by.
 */
export function routesOf(
  rule: Rule<"VirtualService">,
  mesh: MeshSettings,
  listenerPort: number,
  ...services: readonly (Service | undefined)[]
): readonly Route[] {
  const routes: Route[] = [];
  let next = 0;
  for (const [index, http] of rule.spec.http.entries()) {
    const origin = fromRule(rule, `/spec/http/${index}`);
    const targets = http.route.map((destination, i) => ({
      destination,
      clusterName: clusterNameOf(destination, services[next + i], rule.namespace, mesh, listenerPort),
      origin: below(origin, `/route/${i}`),
    }));
    next += targets.length;
    const matches = http.match.length === 0 ? [undefined] : http.match;
    for (const [i, match] of matches.entries()) {
      const route = create(RouteSchema, {
        name: [http.name, match?.name].filter((part) => part !== undefined).join("."),
        match: routeMatch(match, match === undefined ? undefined : below(origin, `/match/${i}`)),
        action: { case: "route", value: routeAction(targets) },
      });
      routes.push(trace(route, origin));
      if (isCatchAll(match)) return routes;
    }
  }
  return routes;
}

/** One route for all requests. */
export const defaultRoute = (clusterName: string, origin: Origin, name = "default"): Route =>
  routeTo(clusterName, origin, defaultRetries(), name);

/** The same with other retries, or none. */
export function routeTo(
  clusterName: string,
  origin: Origin,
  retryPolicy: MessageInitShape<typeof RetryPolicySchema> | undefined,
  name = "default",
): Route {
  const route = create(RouteSchema, {
    name,
    match: { pathSpecifier: { case: "prefix", value: "/" } },
    action: {
      case: "route",
      value: {
        ...noTimeout(),
        ...(retryPolicy && { retryPolicy }),
        clusterSpecifier: { case: "cluster", value: clusterName },
      },
    },
  });
  return trace(route, origin);
}

export const isCatchAllRoute = ({ match }: Route): boolean =>
  match !== undefined &&
  match.headers.length === 0 &&
  ((match.pathSpecifier.case === "prefix" && match.pathSpecifier.value === "/") ||
    (match.pathSpecifier.case === "safeRegex" && match.pathSpecifier.value.regex === ".*"));

interface Target {
  readonly destination: HttpDestination;
  readonly clusterName: string;
  readonly origin: RuleOrigin;
}

/** A single destination takes everything, whatever its weight; of several, those without weight take nothing. */
function routeAction(targets: readonly Target[]): RouteAction {
  const [only] = targets;
  if (only !== undefined && targets.length === 1) {
    const action = create(RouteActionSchema, {
      ...defaults(),
      clusterSpecifier: { case: "cluster", value: only.clusterName },
    });
    return trace(action, [], { cluster: below(only.origin, "/destination") });
  }
  const clusters = targets.filter(({ destination }) => destination.weight > 0).map(weightedCluster);
  return create(RouteActionSchema, {
    ...defaults(),
    clusterSpecifier: { case: "weightedClusters", value: { clusters } },
  });
}

function weightedCluster({ destination, clusterName, origin }: Target): WeightedCluster_ClusterWeight {
  const cluster = create(WeightedCluster_ClusterWeightSchema, { name: clusterName, weight: destination.weight });
  return trace(cluster, origin, { name: below(origin, "/destination"), weight: below(origin, "/weight") });
}

/**
 * Without a port: the service's only one, else that of the listener. The service that an alias stands for has another name. An unknown host
 * has a name too; nobody is behind it.
 */
function clusterNameOf(
  { host, port, subset = "" }: HttpDestination,
  service: Service | undefined,
  namespace: string,
  mesh: MeshSettings,
  listenerPort: number,
): string {
  const only = service?.ports.length === 1 ? service.ports[0]?.number : undefined;
  return outboundClusterName(
    port ?? only ?? listenerPort,
    subset,
    service?.hostname ?? expandHost(host, namespace, mesh) ?? host,
  );
}

/** What holds where a rule says nothing. */
const defaults = (): Pick<RouteAction, "timeout" | "maxStreamDuration" | "retryPolicy"> => ({
  ...noTimeout(),
  retryPolicy: defaultRetries(),
});

/** As Istio has it, not Envoy's 15 s. */
function noTimeout(): Pick<RouteAction, "timeout" | "maxStreamDuration"> {
  const { timeout, maxStreamDuration } = create(RouteActionSchema, {
    timeout: duration(0),
    maxStreamDuration: { maxStreamDuration: duration(0), grpcTimeoutHeaderMax: duration(0) },
  });
  return { timeout, maxStreamDuration };
}

/** Two more tries where the request has certainly not been worked on, on another instance than before: Istio's, too. */
function defaultRetries(): RetryPolicy {
  return create(RetryPolicySchema, {
    retryOn: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
    numRetries: 2,
    retryHostPredicate: [
      {
        name: "envoy.retry_host_predicates.previous_hosts",
        configType: {
          case: "typedConfig",
          value: packAny(PreviousHostsPredicateSchema, create(PreviousHostsPredicateSchema)),
        },
      },
    ],
    hostSelectionRetryMaxAttempts: 5n,
  });
}
