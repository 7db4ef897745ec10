import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import {
  HeaderValueOption_HeaderAppendAction as Append,
  type HeaderValueOption,
} from "../gen/envoy/config/core/v3/base_pb.ts";
import {
  type DirectResponseAction,
  type RedirectAction,
  RedirectAction_RedirectResponseCode as RedirectCode,
  type Route,
  type RouteMatch,
  VirtualHost_TlsRequirementType as Tls,
  type VirtualHost,
} from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import {
  FractionalPercent_DenominatorType as Denominator,
  type FractionalPercent,
} from "../gen/envoy/type/v3/percent_pb.ts";
import { messageTypes } from "./pack.ts";

export type { HeaderValueOption } from "../gen/envoy/config/core/v3/base_pb.ts";
export type {
  HeaderMatcher,
  QueryParameterMatcher,
  RedirectAction,
  RetryPolicy,
  Route,
  RouteAction,
  RouteAction_HashPolicy as HashPolicy,
  RouteMatch,
  VirtualHost,
  WeightedCluster,
} from "../gen/envoy/config/route/v3/route_components_pb.ts";
export type { RouteConfiguration } from "../gen/envoy/config/route/v3/route_pb.ts";
export type { MetadataMatcher } from "../gen/envoy/type/matcher/v3/metadata_pb.ts";
export type { RegexMatchAndSubstitute as RegexRewrite } from "../gen/envoy/type/matcher/v3/regex_pb.ts";
export type { StringMatcher } from "../gen/envoy/type/matcher/v3/string_pb.ts";
export type { ValueMatcher } from "../gen/envoy/type/matcher/v3/value_pb.ts";
export type { FractionalPercent } from "../gen/envoy/type/v3/percent_pb.ts";

/** A route says what it matches; one that does not is refused by Envoy. */
export type MatchingRoute = Route & { readonly match: RouteMatch };

/** From proto JSON, such as stands in an Envoy's config dump; throws where it is no such message. Fields that we do not know are left out. */
export const readRouteConfiguration = (json: JsonValue): RouteConfiguration =>
  fromJson(RouteConfigurationSchema, json, { registry: messageTypes, ignoreUnknownFields: true });

/** Of a duration on the wire. */
export const millisecondsOf = ({ seconds, nanos }: Duration): number => Number(seconds) * 1_000 + nanos / 1_000_000;

/** Of how many. */
const wholes: Readonly<Record<Denominator, number>> = {
  [Denominator.HUNDRED]: 100,
  [Denominator.TEN_THOUSAND]: 10_000,
  [Denominator.MILLION]: 1_000_000,
};

/** Which part of the requests, 0 to 1. */
export const shareOf = ({ numerator, denominator }: FractionalPercent): number =>
  Math.min(1, numerator / (wholes[denominator] ?? 100));

/** Whose requests are redirected to TLS where they come without: nobody's, those from outside the mesh, everybody's. */
export type TlsRedirect = "nobody" | "external" | "everybody";

const redirects: Readonly<Record<Tls, TlsRedirect>> = {
  [Tls.NONE]: "nobody",
  [Tls.EXTERNAL_ONLY]: "external",
  [Tls.ALL]: "everybody",
};

export const tlsRedirectOf = ({ requireTls }: VirtualHost): TlsRedirect => redirects[requireTls] ?? "nobody";

const redirectStatuses: Readonly<Record<RedirectCode, number>> = {
  [RedirectCode.MOVED_PERMANENTLY]: 301,
  [RedirectCode.FOUND]: 302,
  [RedirectCode.SEE_OTHER]: 303,
  [RedirectCode.TEMPORARY_REDIRECT]: 307,
  [RedirectCode.PERMANENT_REDIRECT]: 308,
};

export const redirectStatusOf = ({ responseCode }: RedirectAction): number => redirectStatuses[responseCode] ?? 301;

/** Undefined where there is none, and where only the proxy has it: in a file or in its environment. */
export function directBodyOf({ body }: DirectResponseAction): string | undefined {
  switch (body?.specifier.case) {
    case "inlineString":
      return body.specifier.value;
    case "inlineBytes":
      return new TextDecoder().decode(body.specifier.value);
    default:
      return undefined;
  }
}

/** What is done with a header that is to be added, by whether it is there. */
export type AppendAction = "append" | "add-if-absent" | "overwrite-if-there" | "overwrite-or-add";

const appendActions: Readonly<Record<Append, AppendAction>> = {
  [Append.APPEND_IF_EXISTS_OR_ADD]: "append",
  [Append.ADD_IF_ABSENT]: "add-if-absent",
  [Append.OVERWRITE_IF_EXISTS_OR_ADD]: "overwrite-or-add",
  [Append.OVERWRITE_IF_EXISTS]: "overwrite-if-there",
};

/** The older field counts where it is given. */
export const appendActionOf = ({ append, appendAction }: HeaderValueOption): AppendAction =>
  append === undefined ? (appendActions[appendAction] ?? "append") : append ? "append" : "overwrite-or-add";
