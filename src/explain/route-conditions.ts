import type { JsonPointer } from "../base/json-pointer.ts";
import { type RouteMatch, shareOf } from "../envoy/route-messages.ts";
import { type Condition, quoted } from "./condition.ts";
import { isGrpcType } from "./grpc.ts";
import { headerCondition } from "./header-condition.ts";
import { metadataCondition } from "./metadata-condition.ts";
import { pathCondition } from "./path-condition.ts";
import { queryCondition } from "./query-condition.ts";
import type { Manner } from "./semantics.ts";

export interface RouteConditions {
  /** All must hold. The path comes first: it is what people look at. */
  readonly conditions: readonly Condition[];
  /** Of the requests for which they hold: the part that the route takes, 0 to 1; the others go on to the next one. */
  readonly share: number;
}

/** What a route asks of a request. `pointer`: of its match. Throws `Unsupported`. */
export function routeConditions(match: RouteMatch, pointer: JsonPointer, manner: Manner): RouteConditions {
  const { headers, queryParameters, dynamicMetadata, grpc, tlsContext, runtimeFraction } = match;
  const fraction = runtimeFraction?.defaultValue;
  return {
    conditions: [
      pathCondition(match, pointer, manner),
      ...headers.map((one, i) => headerCondition(one, `${pointer}/headers/${i}`, manner)),
      ...queryParameters.map((one, i) => queryCondition(one, `${pointer}/queryParameters/${i}`, manner)),
      ...(grpc === undefined ? [] : [grpcCondition(`${pointer}/grpc`)]),
      ...certificateConditions(tlsContext, `${pointer}/tlsContext`),
      ...dynamicMetadata.map((one, i) => metadataCondition(one, `${pointer}/dynamicMetadata/${i}`, manner)),
    ],
    share: runtimeFraction === undefined ? 1 : fraction === undefined ? 0 : shareOf(fraction),
  };
}

const grpcCondition = (pointer: JsonPointer): Condition => ({
  pointer,
  text: "the request is one of gRPC",
  holds: ({ header, path }) => path !== undefined && isGrpcType(header("content-type").join()),
  found: ({ header }) => {
    const [type] = header("content-type");
    return type === undefined ? "it has no content-type" : `its content-type is ${quoted(type)}`;
  },
});

/** A condition that is not asked for holds for everybody, whoever has no TLS too. */
function certificateConditions(wanted: RouteMatch["tlsContext"], pointer: JsonPointer): readonly Condition[] {
  return (["presented", "validated"] as const).flatMap((what) => {
    const value = wanted?.[what];
    if (value === undefined) return [];
    return [
      {
        pointer: `${pointer}/${what}`,
        text: `the client's certificate is ${value ? "" : "not "}${what}`,
        holds: ({ request }) => (request.certificate?.[what] ?? false) === value,
        found: ({ request }) => `it is${request.certificate?.[what] === true ? "" : " not"}`,
      } satisfies Condition,
    ];
  });
}
