import { boolean, type Decoder, list, mapped } from "../base/decode.ts";
import { oneOfKinds, optional, required } from "../base/decode-object.ts";
import { amount, anyText, many, number, placeFields, shape, share, word } from "../base/shape.ts";
import type { Cors } from "./cors.ts";
import type { ExplainedCluster, ExplainedEndpoint } from "./endpoints.ts";
import type {
  ChainMiss,
  Change,
  ExplainedCapture,
  ExplainedChain,
  ExplainedHost,
  ExplainedListener,
  ExplainedProtocol,
  ExplainedRoute,
  Explanation,
  FailedCondition,
  NearMiss,
  Outcome,
  Result,
  RoutedRequest,
  SentHeader,
  ServicePort,
} from "./explanation.ts";
import type { Fault } from "./fault.ts";
import type { PlacedOrigin } from "./places.ts";
import type { Mirror, Policies, Retry } from "./policies.ts";

/* The runtime form of `explanation.ts`: clients read answers with it, and the published document of the API says what it says. */

type Kind<T, K extends string> = Extract<T, { readonly kind: K }>;

const origin: Decoder<PlacedOrigin> = oneOfKinds<PlacedOrigin>("kind", {
  rule: shape<Kind<PlacedOrigin, "rule">>({
    ...{ kind: required(word("rule")), rule: required(anyText), pointer: required(anyText) },
    ...placeFields,
  }),
  registry: shape<Kind<PlacedOrigin, "registry">>({
    ...{ kind: required(word("registry")), registry: required(anyText) },
    ...{ service: required(anyText), instance: optional(anyText) },
    ...placeFields,
  }),
  setting: shape<Kind<PlacedOrigin, "setting">>({
    ...{ kind: required(word("setting")), name: required(anyText) },
    ...placeFields,
  }),
  repair: shape<Kind<PlacedOrigin, "repair">>({
    ...{ kind: required(word("repair")), reason: required(anyText) },
    ...placeFields,
  }),
});
const origins = required(list(origin, many));
const asks = required(list(anyText, many));

const failedCondition = shape<FailedCondition>({ asks: required(anyText), found: required(anyText), origins });

const capture = shape<ExplainedCapture>({
  ...{ direction: required(word("inbound", "outbound")), by: required(anyText) },
  ...{ destination: optional(anyText), port: required(number), found: required(anyText) },
});
const protocol = shape<ExplainedProtocol>({
  found: required(anyText),
  waits: optional(shape({ timeoutMs: required(amount), goesOn: required(boolean) })),
});
const listener = shape<ExplainedListener>({
  ...{ name: required(anyText), address: optional(anyText), found: required(anyText), origins },
});
const filterChain = shape<ExplainedChain>({ name: required(anyText), index: optional(number), asks, origins });
const chainMiss = shape<ChainMiss>({
  ...{ name: required(anyText), index: required(number), failed: required(failedCondition) },
});
const request = shape<RoutedRequest>({
  ...{ method: required(anyText), scheme: required(anyText), authority: required(anyText), path: optional(anyText) },
});
const virtualHost = shape<ExplainedHost>({
  ...{ table: required(anyText), name: required(anyText), domain: required(anyText), origins },
});
const route = shape<ExplainedRoute>({ name: required(anyText), index: required(number), asks, origins });
const nearMiss = shape<NearMiss>({
  ...{ name: required(anyText), index: required(number), failed: required(list(failedCondition, many)), origins },
});

/* Where it goes */

const service = shape<ServicePort>({
  ...{ host: required(anyText), port: required(number), subset: optional(anyText) },
  direction: required(word("inbound", "outbound")),
});
const endpoint = shape<ExplainedEndpoint>({
  address: required(anyText),
  otherAddresses: optional(list(anyText, many)),
  locality: optional(shape({ region: required(anyText), zone: required(anyText), subzone: required(anyText) })),
  ...{ priority: required(number), weight: required(number), localityWeight: optional(number) },
  ...{ health: required(anyText), origins },
});
const leadsTo: Decoder<ExplainedCluster> = oneOfKinds<ExplainedCluster>("kind", {
  missing: shape<Kind<ExplainedCluster, "missing">>({ kind: required(word("missing")) }),
  endpoints: shape<Kind<ExplainedCluster, "endpoints">>({
    ...{ kind: required(word("endpoints")), endpoints: required(list(endpoint, many)) },
  }),
  "original-destination": shape<Kind<ExplainedCluster, "original-destination">>({
    ...{ kind: required(word("original-destination")), isKnown: required(boolean), address: optional(anyText) },
  }),
  other: shape<Kind<ExplainedCluster, "other">>({ kind: required(word("other")), type: required(anyText) }),
});

/* What happens on the way */

const sentHeader: Decoder<SentHeader> = mapped(list(anyText, { min: 2, max: 2 }), ([name = "", value = ""]) => [
  name,
  value,
]);

const change = shape<Change>({
  ...{ what: required(anyText), before: optional(anyText), after: optional(anyText) },
  by: required(word("connection-manager", "proxy", "cluster", "route", "virtual-host", "route-table")),
  origins,
});

const milliseconds = required(amount);
const someMilliseconds = optional(amount);

const retry = shape<Retry>({
  ...{ on: required(list(anyText)), statusCodes: optional(list(number)), retries: required(number) },
  perTryTimeoutMs: someMilliseconds,
  backOff: optional(shape({ baseMs: milliseconds, maxMs: milliseconds })),
  hostPredicates: required(list(anyText)),
});
const mirror = shape<Mirror>({ cluster: required(anyText), share: required(share) });
const fault = shape<Fault>({
  delay: optional(shape({ ms: milliseconds, share: required(share) })),
  abort: optional(
    shape<NonNullable<Fault["abort"]>>({
      ...{ status: optional(number), grpcStatus: optional(number), share: required(share) },
    }),
  ),
});
const cors = shape<Cors>({
  allowOrigins: required(list(anyText)),
  ...{ allowMethods: required(anyText), allowHeaders: required(anyText), exposeHeaders: required(anyText) },
  ...{ maxAge: required(anyText), allowCredentials: required(boolean) },
});
const policies = shape<Policies>({
  ...{ timeoutMs: someMilliseconds, grpcTimeoutMaxMs: someMilliseconds, idleTimeoutMs: someMilliseconds },
  ...{ retry: optional(retry), mirrors: required(list(mirror)), hashOn: required(list(anyText)) },
  ...{ fault: optional(fault), cors: optional(cors) },
});

const result: Decoder<Result> = oneOfKinds<Result>("kind", {
  forward: shape<Kind<Result, "forward">>({
    ...{ kind: required(word("forward")), cluster: required(anyText), meaning: optional(anyText) },
    ...{
      service: optional(service),
      leadsTo: required(leadsTo),
      request: required(request),
      takesNameOfInstance: required(boolean),
    },
    ...{ headers: required(list(sentHeader)), changes: required(list(change)) },
    ...{ policies: required(policies), origins },
  }),
  redirect: shape<Kind<Result, "redirect">>({
    ...{ kind: required(word("redirect")), status: required(number), location: required(anyText) },
  }),
  answer: shape<Kind<Result, "answer">>({
    ...{ kind: required(word("answer")), status: required(number), body: optional(anyText), reason: required(anyText) },
  }),
  close: shape<Kind<Result, "close">>({ kind: required(word("close")), reason: required(anyText) }),
  tunnel: shape<Kind<Result, "tunnel">>({
    ...{ kind: required(word("tunnel")), cluster: required(anyText), meaning: optional(anyText) },
    ...{ service: optional(service), leadsTo: required(leadsTo), origins },
  }),
  unknown: shape<Kind<Result, "unknown">>({ kind: required(word("unknown")), filter: required(anyText) }),
});
const outcome = shape<Outcome>({ share: required(share), route: optional(route), result: required(result) });

export const explanation: Decoder<Explanation> = shape<Explanation>({
  ...{ capture: optional(capture), protocol: optional(protocol) },
  ...{ listener: optional(listener), filterChain: optional(filterChain), otherChains: required(list(chainMiss, many)) },
  unknownFilters: optional(list(anyText)),
  ...{ request: optional(request), admitted: required(list(change)), virtualHost: optional(virtualHost) },
  ...{ outcomes: required(list(outcome, many)), nearMisses: required(list(nearMiss, many)) },
});

/** The parts that documentation speaks of by name. */
export const explanationParts: Readonly<Record<string, Decoder<unknown>>> = {
  ...{ Explanation: explanation, ExplainedCluster: leadsTo, ExplainedOrigin: origin, ExplainedOutcome: outcome },
  ...{ ExplainedPolicies: policies, ExplainedRequest: request, ExplainedResult: result, ExplainedRoute: route },
  ...{ ExplainedEndpoint: endpoint, FailedCondition: failedCondition },
};
