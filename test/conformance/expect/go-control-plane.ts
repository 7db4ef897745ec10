import { deltaVariants, sotwVariants } from "../variants.ts";
import type { Expectation } from "./expectation.ts";
import { goControlPlaneOrderExpectations } from "./go-control-plane-order.ts";
import { subscriptionExpectations } from "./go-control-plane-subscriptions.ts";

const seen = "2026-11-22";
const linear = ["linear"] as const;
const noLegacyWildcard = ["no-legacy-wildcard"] as const;

const adsFlag = "with its ADS flag the cache is silent until every resource of the snapshot is asked for by one stream";
const partialScopes = "scoped routes are sent in part, though for Envoy what is left out is removed";
const neverReported = "names without a resource are never reported";
const uncoupled =
  "the version of endpoints covers only themselves, and is skipped when listed, whatever their cluster did";

/** What is known of v0.14.0: each entry says what the library does instead. */
export const goControlPlaneExpectations: readonly Expectation[] = [
  {
    statement: "STR-02",
    reason: "the node is not looked at: a stream without one is served, or left without an answer",
    seen,
  },
  {
    ...{ statement: "STR-07", title: "streams refused for their node: nothing is left", seen },
    reason: "streams without a node are not refused (STR-02)",
  },
  {
    ...{
      statement: "STR-01",
      title: "the same node may come with every request",
      configs: noLegacyWildcard,
      variants: deltaVariants,
      seen,
    },
    reason: "an empty first list asks for nothing in this configuration, and is not answered in delta",
  },
  {
    ...{ statement: "STR-03", title: "a NACK of one type does not stop another", variants: ["ads-sotw"], seen },
    reason: "it does not, but the refused resources are sent again at once (ACK-04)",
  },
  {
    ...{
      statement: "STR-06",
      title: "an unknown type gets no answer, and the stream goes on",
      variants: ["ads-delta"],
      seen,
    },
    reason: "an unknown type gets an empty answer in delta; a multiplexer of linear caches ends the stream",
  },
  {
    ...{
      statement: "STR-06",
      title: "an unknown type gets no answer, and the stream goes on",
      configs: linear,
      variants: ["ads-sotw"],
      seen,
    },
    reason: "a multiplexer of linear caches ends the stream",
  },
  {
    ...{ statement: "STR-09", configs: linear, variants: sotwVariants, seen },
    reason: "a linear cache is never incomplete: what is not there yet is not there",
  },
  {
    ...{ statement: "SNG-02", title: "another type: INVALID_ARGUMENT, and nothing of it", seen },
    reason: "another type is taken as it is on any other stream, and the stream goes on",
  },
  { statement: "SNG-02", title: "Fetch methods: UNIMPLEMENTED", reason: "Fetch is served", seen },
  {
    ...{ statement: "SNG-03", configs: ["ordered"], variants: ["single-sotw"], seen },
    reason: adsFlag,
  },
  {
    ...{ statement: "ACK-02", title: "an ACK of a wildcard answer, or of an empty one, is met with silence", seen },
    ...{ configs: noLegacyWildcard, variants: deltaVariants },
    reason: "an empty first list asks for nothing in this configuration, and is not answered in delta",
  },
  ...(
    [
      "a NACK of one resource is met with silence",
      "the same NACK 100 times is met with silence",
      "computed again to the same bytes, what was refused is not sent again; changed, it is sent at once, as another version",
      "a refused message of several is at most sent in parts, each once, and then there is silence",
    ] as const
  ).map(
    (title): Expectation => ({
      ...{ statement: "ACK-04", title, variants: sotwVariants, seen },
      reason:
        "a NACK carries the version before, which is compared with the present one: the client looks behind, and is sent the same again",
    }),
  ),
  {
    ...{
      statement: "ACK-04",
      title: "a refused first answer does not keep later resources back",
      variants: sotwVariants,
      seen,
      sometimes: true,
    },
    reason: "the refused resources may be sent again before they change",
  },
  {
    ...{
      statement: "ACK-05",
      title: "names added in a NACK are answered, again with the same nonce and error",
      variants: sotwVariants,
      seen,
    },
    reason: "the second request has a stale nonce by then, and is dropped with the names in it",
  },
  {
    ...{
      statement: "ACK-05",
      title: "names dropped in a NACK get no more updates",
      variants: sotwVariants,
      seen,
      sometimes: true,
    },
    reason: "the refused resources are sent again (ACK-04)",
  },
  {
    ...{ statement: "ACK-06", variants: sotwVariants, seen, sometimes: true },
    reason:
      "a new version of the whole type is sent for names that have not changed, and stale requests are dropped with what they ask for",
  },
  {
    statement: "ACK-08",
    reason: "the next response of a type waits for the answer to the one before, without limit",
    seen,
  },
  {
    ...{
      statement: "ACK-09",
      title: "the same names with an empty nonce change nothing",
      variants: sotwVariants,
      seen,
    },
    reason: "an empty nonce with no version looks like a client that has nothing: everything is sent again",
  },
  {
    ...{
      statement: "ACK-09",
      title: "names that grow with empty nonces before the first answer are all delivered",
      seen,
    },
    ...{ configs: linear, variants: sotwVariants, types: ["SRDS"], sometimes: true },
    reason: partialScopes,
  },
  ...subscriptionExpectations,
  {
    ...{ statement: "DEL-03", variants: deltaVariants, seen },
    reason: "what the client has by the library's books is not sent again, whether or not it is asked for again",
  },
  {
    ...{ statement: "DEL-05", variants: deltaVariants, seen },
    reason: "unsubscribed names are not answered",
  },
  ...(
    [
      "a name without a resource: removed, at once and once; put, it is sent",
      "one of two names has a resource: both are answered; asked for again, the missing one is answered again",
      "beside a wildcard, a name without a resource is answered as removed",
    ] as const
  ).map(
    (title): Expectation => ({
      ...{ statement: "DEL-06", title, variants: deltaVariants, seen },
      reason: neverReported,
    }),
  ),
  {
    ...{ statement: "DEL-10", title: "a secret is sent again, whatever the version", variants: deltaVariants, seen },
    reason: "secrets in the listed version are skipped, as of any type",
  },
  {
    ...{
      statement: "DEL-10",
      title: "a change of a cluster was half applied: its endpoints are sent, though they have not changed",
      variants: deltaVariants,
      seen,
    },
    reason: uncoupled,
  },
  {
    ...{
      statement: "DEL-11",
      title: "what is listed and not subscribed is not followed, whether it is there or not",
      configs: linear,
      variants: deltaVariants,
      seen,
    },
    reason: "listed names that are not subscribed are answered as removed",
  },
  {
    ...{
      statement: "DEL-12",
      title: "nothing exists: a first request with no names is answered all the same, and later news come",
      configs: noLegacyWildcard,
      variants: deltaVariants,
      seen,
    },
    reason: "an empty first list asks for nothing in this configuration, and is not answered in delta",
  },
  {
    ...{
      statement: "DEL-14",
      title: "under a wildcard, a name subscribed and unsubscribed at once goes on by the wildcard",
      variants: deltaVariants,
      seen,
      sometimes: true,
    },
    reason: "the request may be looked at after the next change: then the new content comes twice",
  },
  { ...{ statement: "DEL-15", variants: deltaVariants, seen }, reason: "an answer is never divided, however large" },
  {
    ...{ statement: "REC-01", title: "names with the present version, one of them new: all are sent", seen },
    ...{ configs: ["ordered"], variants: sotwVariants },
    reason: adsFlag,
  },
  {
    ...{
      statement: "REC-01",
      title: "everything with the present version, answered or not: the next change brings the whole set",
      seen,
    },
    ...{ configs: linear, variants: sotwVariants, types: ["SRDS"] },
    reason: partialScopes,
  },
  ...(
    [
      "a replica that was told the same in another order has the same versions",
      "after a restart the versions are the same",
    ] as const
  ).map(
    (title): Expectation => ({
      ...{ statement: "REC-02", title, configs: linear, variants: sotwVariants, seen },
      reason: "a linear cache counts its changes and does not look at content",
    }),
  ),
  {
    ...{
      statement: "REC-02",
      title: "random states on two servers: equal content, equal version; other content, other version",
      seen,
    },
    ...{ configs: linear, variants: sotwVariants, sometimes: true },
    reason: "versions are counted; scoped routes are sent in part, though for Envoy what is left out is removed",
  },
  { ...{ statement: "REC-03", configs: ["ordered"], variants: sotwVariants, seen }, reason: adsFlag },
  {
    ...{ statement: "REC-03", configs: ["plain", "no-legacy-wildcard"], variants: sotwVariants, seen, sometimes: true },
    reason: "a new version of the whole type is sent for names that have not changed",
  },
  ...(
    [
      "a listed cluster is sent again: its endpoints are too, though listed in their present version",
      "a cluster changed meanwhile: its endpoints are sent, though they have not changed",
      "endpoints that are asked for before the clusters are answered, and again when their cluster was sent again",
    ] as const
  ).map(
    (title): Expectation => ({ ...{ statement: "REC-04", title, variants: deltaVariants, seen }, reason: uncoupled }),
  ),
  {
    ...{
      statement: "REC-04",
      title: "secrets of a cluster that was sent again are answered, whatever the versions",
      variants: deltaVariants,
      seen,
    },
    reason: "secrets in the listed version are skipped, as of any type",
  },
  ...(["listed", "not listed"] as const).map(
    (how): Expectation => ({
      ...{
        statement: "REC-04",
        title: `a name that is gone and asked for, ${how}: removed, and nothing is made of it`,
      },
      ...{ variants: deltaVariants, seen },
      reason: neverReported,
    }),
  ),
  ...goControlPlaneOrderExpectations,
  { statement: "OBS-01", reason: "control_plane stays empty", seen },
  {
    ...{ statement: "FLW-01", seen, sometimes: true },
    reason: "our program's keepalive gives up a peer after 3 s, and the suite may be that busy",
  },
  { statement: "FLW-02", reason: "all that is asked for goes into one response, whatever its size", seen },
  {
    statement: "FLW-03",
    reason: "grpc-go takes requests of 4 MiB unless the library's user allows more",
    seen,
  },
  ...(["110 000 names in a request: INVALID_ARGUMENT", "a name of 100 000 characters: INVALID_ARGUMENT"] as const).map(
    (title): Expectation => ({ statement: "AUT-05", title, reason: "names are not limited", seen }),
  ),
  {
    ...{ statement: "AUT-05", title: "200 types that nobody knows: the stream goes on", seen },
    configs: ["plain", "ordered", "linear"],
    variants: ["ads-delta"],
    reason: "an unknown type gets an empty answer in delta; a multiplexer of linear caches ends the stream (STR-06)",
  },
  {
    ...{ statement: "AUT-05", title: "200 types that nobody knows: the stream goes on", seen },
    ...{ configs: linear, variants: ["ads-sotw"] },
    reason: "a multiplexer of linear caches ends the stream (STR-06)",
  },
  {
    ...{ statement: "AUT-05", configs: linear, seen },
    title: "requests with some bytes changed: each stream goes on or ends with a status for it, and others are served",
    reason: "a type that it has no cache for ends the stream with UNKNOWN",
  },
  {
    ...{ statement: "AUT-05", configs: ["ordered"], variants: sotwVariants, seen },
    title: "a flood of requests delays nobody else, and does not end the process",
    reason: "with its ADS flag the cache is silent until every resource of the snapshot is asked for by one stream",
  },
];
