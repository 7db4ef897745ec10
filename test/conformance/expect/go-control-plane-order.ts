import type { Expectation } from "./expectation.ts";

const seen = "2026-11-22";

type Rest = Pick<Expectation, "configs" | "variants" | "types" | "sometimes">;

/** The same of several cases of one statement. */
const known = (
  statement: Expectation["statement"],
  reason: string,
  titles: readonly string[],
  rest: Rest = {},
): readonly Expectation[] => titles.map((title) => ({ statement, title, reason, seen, ...rest }));

/** What is known of v0.14.0 in order, types, times to live, errors and names: a cache that knows no references, and answers what it has. */
export const goControlPlaneOrderExpectations: readonly Expectation[] = [
  ...known(
    "ORD-01",
    "without ordered answers types go out as their watches come up, and a removal goes out with the rest of its type",
    [
      "one change of everything comes as clusters, endpoints, listeners, routes, and then removals",
      "whatever the order in which names were asked for, one change comes in the order of the types",
    ],
    // Of all orders it may be the right one.
    { sometimes: true },
  ),
  ...known(
    "ORD-01",
    "an empty first list asks for nothing in this configuration, and is not answered in delta",
    ["a new user's secret comes right after it, and waits for no ACK"],
    { configs: ["no-legacy-wildcard"], variants: ["ads-delta"] },
  ),
  ...known(
    "ORD-02",
    "a cluster is removed with the snapshot that lacks it, whatever the client has said; it may be asked for again as well",
    [
      "a cluster leaves when what used it has been replaced and the replacement is acknowledged",
      "after the ACK there is a grace time",
      "while the ACK is withheld the cluster stays, and leaves when the wait is over",
      "while the new user is refused the cluster stays: the old user is at work",
      "what comes back before it left never leaves",
      "a route table leaves after what named it: listener or scope",
    ],
  ),
  ...known(
    "ORD-02",
    "a cluster is removed with the snapshot that lacks it, whatever the client has said; it may be asked for again as well",
    ["20 flips, one upon the other: at no time does a route name a cluster that is not there"],
    { sometimes: true },
  ),
  ...known("ORD-03", "what dangles is given out as it is: nothing stands for what is missing", [
    "a cluster that is named and not there has something in its place, before it is named",
    "in the same change in which something dangles, everything else goes out",
    "a cluster deleted under a route never leaves without something in its place",
    "a route table that a listener names and that is not there is answered",
    "a cluster whose endpoints are not there, and a route to it, come whole",
    "a new listener whose filter is nowhere is kept back, and keeps nothing else back",
  ]),
  {
    statement: "ORD-06",
    reason:
      "endpoints and clusters have watches of their own, and go out in any order; of some types the whole is sent again",
    seen,
    sometimes: true,
  },
  ...known(
    "ORD-08",
    "a refused response is sent again at once, and a change of one resource brings others of its type again",
    [
      "a refused cluster: other endpoints come at once, and a route to it within the limit",
      "a refused type keeps no other type back",
      "while a route is refused, new clusters and endpoints come",
    ],
    { sometimes: true },
  ),
  ...known("ORD-04", "endpoints that have not changed are not sent again behind their cluster", [
    "a changed cluster is followed by its endpoints, though they are the same",
    "both changed: both are followed by theirs",
    "clusters that are asked for by name are followed as well",
    "the name that counts is the cluster's service_name, where it has one",
    "a cluster that was removed and came back is followed by its endpoints",
    "endpoints that were asked for before their cluster come again behind it",
  ]),
  ...known("ORD-05", "a name that nobody has is not answered", [
    "an unknown name is answered: empty, or as removed",
    "known and unknown names in one request are all answered",
    "a cluster of whose endpoints nothing is known: the name is answered",
  ]),
  ...known(
    "ORD-05",
    "a name that nobody has is not answered; when the request is looked at only after the change, the name is there",
    ["a name that was unknown comes when it is there"],
    { sometimes: true },
  ),
  ...known(
    "ORD-05",
    "a linear cache is never incomplete: what is not there yet is not there",
    ["nothing is answered before the first state is complete"],
    { configs: ["linear"], variants: ["ads-sotw", "single-sotw"] },
  ),
  ...known(
    "ORD-07",
    "an empty first list asks for nothing in this configuration, and is not answered in delta",
    [
      "a secret named by a cluster or listener is answered",
      "its user removed and added: the secret is answered again, unchanged",
    ],
    { configs: ["no-legacy-wildcard"], variants: ["ads-delta"] },
  ),
  ...known(
    "ORD-07",
    "a change of one resource is a new version of its type, of which all that is asked for is sent again",
    ["a secret that is asked for before it is there comes when it is"],
    { configs: ["plain", "ordered", "no-legacy-wildcard"], variants: ["ads-sotw", "single-sotw"] },
  ),
  ...known("TYP-01", "the client's version is not looked at; a change of one secret brings the others too", [
    "an Envoy 1.28.7 is not told that a secret is unknown, or gone, but gets it when it is there",
    "an Envoy 1.29.12 is not told that a secret is unknown, or gone, but gets it when it is there",
  ]),
  ...known(
    "TYP-01",
    "the client's version is not looked at; a change of one secret brings the others too",
    ["a rotation brings that secret alone"],
    { configs: ["plain", "ordered", "no-legacy-wildcard"], variants: ["ads-sotw", "single-sotw"] },
  ),
  ...known("TYP-02", "what is gone is announced as removed, whoever refers to it", [
    "an extension that a listener refers to is never removed",
    "when the listener goes on without it, it is not removed before that is acknowledged",
  ]),
  ...known(
    "TYP-02",
    "what is gone is announced as removed, whoever refers to it",
    ["nor is its listener, which would be no better"],
    { configs: ["plain", "ordered", "no-legacy-wildcard"], variants: ["ads-sotw"] },
  ),
  ...known(
    "TYP-02",
    "what is gone is announced as removed, whoever refers to it",
    ["nor is its listener, which would be no better"],
    { variants: ["ads-delta"] },
  ),
  ...known("TYP-03", "a name that nobody has is not answered; what is gone is left out", [
    "an unknown layer is answered with an empty one, and comes when it is there",
    "known and unknown layers of one request are all answered",
  ]),
  ...known(
    "TYP-03",
    "a name that nobody has is not answered; what is gone is left out",
    ["a deleted layer is emptied"],
    { variants: ["ads-sotw", "single-sotw"] },
  ),
  ...known(
    "TYP-04",
    "a name that nobody has is not answered; a changed route table does not bring its virtual hosts again",
    [
      "an unknown host is answered without a body, under its alias, and comes when it is there",
      "known and unknown hosts of one request are all answered",
      "behind a changed route table its hosts come again, and no others",
    ],
  ),
  ...known("TYP-05", "a name that nobody has is not answered, nor one that the client has already", [
    "a name that nobody has is quickly answered as removed, alone",
    "a name that nobody has is quickly answered as removed, beside the wildcard too",
    "beside the wildcard a name that it covers is answered with the cluster",
  ]),
  ...known(
    "TTL-01",
    "the client's features are not looked at: state of the world always has times to live, delta never",
    ["a client with the features gets it"],
    { variants: ["ads-delta", "single-delta"] },
  ),
  ...known(
    "TTL-01",
    "the client's features are not looked at: state of the world always has times to live, delta never",
    [
      "xds.config.supports-resource-ttl, in delta",
      "envoy.config.supports-resource-ttl, in delta",
      "state of the world: nor one that does not say that it can unwrap",
    ],
  ),
  ...known(
    "TTL-01",
    "the client's features are not looked at: state of the world always has times to live, delta never",
    ["a client without the features does not", "nor one that only unwraps"],
    { variants: ["ads-sotw", "single-sotw"] },
  ),
  ...known(
    "TTL-02",
    "all resources of a type come as signs of life, and not at all in delta",
    [
      "signs of life come in time, without a body, and are accepted; they end with the time to live",
      "state of the world, other types: signs of life come in time, without a body, and are accepted; they end with the time to live",
      "whole sets are never without the body of what is alive, nor without what has no time to live",
      "they come again and again, after changes too",
      "the time to live taken away, and nothing else changed: that is told, and no sign comes any more",
      "who no longer asks for it gets none",
    ],
    { sometimes: true },
  ),
  ...known("ERR-01", "`resource_errors` is never sent", [
    "a name that does not exist is an error beside what exists, once, and none when it does",
    "another change brings the whole set, and no error a second time",
    "a name that is asked for later is an error then",
  ]),
  ...known(
    "ERR-01",
    "a linear cache sends scoped routes in part, though for Envoy what is left out is removed",
    ["a wildcard has no errors"],
    { configs: ["linear"], types: ["SRDS"], sometimes: true },
  ),
  ...known(
    "XTP-01",
    "with its ADS flag the cache is silent until every resource of the snapshot is asked for by one stream",
    [
      "slashes, a question mark and brackets: the name comes back as it was asked for",
      "parameters in no order, one twice: the name comes back as it was asked for",
      "spaces and percent signs: the name comes back as it was asked for",
      "other scripts: the name comes back as it was asked for",
      "slashes alone, dots and a star: the name comes back as it was asked for",
      "an xdstp name with a parameter: the name comes back as it was asked for",
      "an xdstp name with percent signs: the name comes back as it was asked for",
      "an xdstp name with a directive: the name comes back as it was asked for",
    ],
    { configs: ["ordered"], variants: ["ads-sotw", "single-sotw"] },
  ),
  ...known(
    "XTP-02",
    "names are compared as texts, and one that nobody has is not answered",
    [
      "the order of parameters does not matter",
      "other values, or fewer, or more parameters are another name",
      "an unknown authority is not found, and the stream goes on",
    ],
    { sometimes: true },
  ),
  ...known(
    "XTP-03",
    "a name that nobody has is not answered; a change of one resource brings others of its type again",
    ["a glob of another type is a name like any other, and the stream goes on"],
    { variants: ["ads-delta", "single-delta"] },
  ),
  ...known(
    "XTP-03",
    "a name that nobody has is not answered; a change of one resource brings others of its type again",
    ["a glob of another type is a name like any other, and the stream goes on"],
    { configs: ["ordered"], variants: ["ads-sotw", "single-sotw"] },
  ),
  ...known(
    "XTP-03",
    "a name that nobody has is not answered; a change of one resource brings others of its type again",
    ["dynamic parameters are as if they were not there"],
    { configs: ["plain", "ordered", "no-legacy-wildcard"], variants: ["ads-sotw", "single-sotw"] },
  ),
];
