import { type FilterSettings, faultFor, type HttpConnectionManager } from "../envoy/filter-messages.ts";
import {
  type HashPolicy,
  type MatchingRoute,
  millisecondsOf,
  type RetryPolicy,
  type RouteAction,
  type RouteConfiguration,
  shareOf,
  type VirtualHost,
} from "../envoy/route-messages.ts";
import { type Cors, corsOf } from "./cors.ts";
import { type Fault, faultOf } from "./fault.ts";
import type { Facts } from "./request.ts";
import type { Semantics } from "./semantics.ts";
import { wholeTimeoutMs } from "./timeouts.ts";

/** What holds for a request on its way to a cluster. Durations in milliseconds; absent: none. */
export interface Policies {
  /** Until the whole response is there, tries included. */
  readonly timeoutMs?: number;
  /** For a request that says a time of its own (`grpc-timeout`): at most this; 0: as long as it says. */
  readonly grpcTimeoutMaxMs?: number;
  /** Without a byte in either direction. */
  readonly idleTimeoutMs?: number;
  readonly retry?: Retry;
  readonly mirrors: readonly Mirror[];
  /** What a request's instance is chosen by, where the cluster's balancer hashes: in this order, until one that is final is there. */
  readonly hashOn: readonly string[];
  readonly fault?: Fault;
  /** Which pages of other origins may call. */
  readonly cors?: Cors;
}

export interface Retry {
  /** On what, in Envoy's words. */
  readonly on: readonly string[];
  readonly statusCodes?: readonly number[];
  /** After the first try. */
  readonly retries: number;
  readonly perTryTimeoutMs?: number;
  readonly backOff?: { readonly baseMs: number; readonly maxMs: number };
  /** Names of what keeps a try from instances that had one before. */
  readonly hostPredicates: readonly string[];
}

export interface Mirror {
  readonly cluster: string;
  /** Of the requests, 0 to 1. */
  readonly share: number;
}

/** The levels of the configuration that speak of one request. */
export interface Levels {
  readonly manager: HttpConnectionManager;
  readonly table: RouteConfiguration;
  readonly host: VirtualHost;
  readonly route: MatchingRoute;
  /** Where it goes; `settings` of the one of several by weight. */
  readonly cluster: { readonly name: string; readonly settings?: FilterSettings };
  readonly facts: Facts;
  readonly semantics: Semantics;
}

export function policiesOf(action: RouteAction, levels: Levels): Policies {
  const { host, table } = levels;
  const timeoutMs = wholeTimeoutMs(action);
  const grpcMax = action.maxStreamDuration?.grpcTimeoutHeaderMax ?? action.maxGrpcTimeout;
  const retry = action.retryPolicy ?? host.retryPolicy;
  const mirrors = [action, host, table].map((one) => one.requestMirrorPolicies).find((list) => list.length > 0) ?? [];
  const settings = [
    levels.cluster.settings ?? {},
    ...[levels.route, host, table].map((one) => one.typedPerFilterConfig),
  ];
  const fault = faultOf(faultFor(levels.manager, settings), levels);
  const cors = corsOf(levels, settings);
  return {
    ...(timeoutMs > 0 && { timeoutMs }),
    ...(grpcMax && { grpcTimeoutMaxMs: millisecondsOf(grpcMax) }),
    ...(action.idleTimeout && { idleTimeoutMs: millisecondsOf(action.idleTimeout) }),
    ...(retry && retry.retryOn !== "" && { retry: retryOf(retry) }),
    mirrors: mirrors.map(({ cluster, clusterHeader, runtimeFraction: part }) => ({
      cluster: cluster || `%${clusterHeader}%`,
      share: part === undefined ? 1 : part.defaultValue === undefined ? 0 : shareOf(part.defaultValue),
    })),
    hashOn: action.hashPolicy.map(hashText),
    ...(fault && { fault }),
    ...(cors && { cors }),
  };
}

/** In Envoy, one try more where the number is missing, and pauses of 25 ms up to ten times that. */
const usualRetry = { retries: 1, baseMs: 25, times: 10 } as const;

function retryOf(policy: RetryPolicy): Retry {
  const { retryOn, numRetries = usualRetry.retries, perTryTimeout, retryBackOff, retriableStatusCodes } = policy;
  const baseMs =
    retryBackOff?.baseInterval === undefined ? usualRetry.baseMs : millisecondsOf(retryBackOff.baseInterval);
  const maxMs =
    retryBackOff?.maxInterval === undefined ? usualRetry.times * baseMs : millisecondsOf(retryBackOff.maxInterval);
  return {
    on: retryOn.split(",").map((one) => one.trim()),
    ...(retriableStatusCodes.length > 0 && { statusCodes: retriableStatusCodes }),
    retries: numRetries,
    ...(perTryTimeout && { perTryTimeoutMs: millisecondsOf(perTryTimeout) }),
    backOff: { baseMs, maxMs },
    hostPredicates: policy.retryHostPredicate.map(({ name }) => name),
  };
}

function hashText({ policySpecifier: by, terminal }: HashPolicy): string {
  const last = terminal ? ", and nothing after it" : "";
  switch (by.case) {
    case "header":
      return `the header ${by.value.headerName}${last}`;
    case "cookie":
      return `the cookie ${by.value.name}${by.value.ttl === undefined ? "" : ", which is made where it is missing"}${last}`;
    case "connectionProperties":
      return `the client's address${last}`;
    case "queryParameter":
      return `the query parameter ${by.value.name}${last}`;
    default:
      return `${by.case ?? "nothing"}${last}`;
  }
}
