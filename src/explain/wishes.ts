import { type JsonPointer, pointerTo } from "../base/json-pointer.ts";
import { quoted } from "./condition.ts";
import type { Expectation, HeaderTexts } from "./expectation.ts";
import type { Destination, Outcome, Result } from "./explanation.ts";
import type { PlacedOrigin } from "./places.ts";

/** What becomes of one request, and of many: `goes to subset v1`, `go to subset v1`. */
export type Deed = readonly [one: string, many: string];

/** One thing that is expected of every part of the requests. */
export interface Wish {
  /** Into the expectation. */
  readonly pointer: JsonPointer;
  /** In words: `subset v2`. */
  readonly text: string;
  readonly holds: (outcome: Outcome) => boolean;
  readonly found: (outcome: Outcome) => Deed;
  /** Who gave what was found. */
  readonly origins: (outcome: Outcome) => readonly PlacedOrigin[];
}

type WishAt = (pointer: JsonPointer) => Wish;

/** `T`: what is wanted; `F`: what an outcome has of that kind. */
interface Kind<T, F> {
  readonly text: (wanted: T) => string;
  /** undefined: it ends in another way, where there is no such thing. */
  readonly value: (outcome: Outcome) => F | undefined;
  readonly fits: (wanted: T, found: F) => boolean;
  readonly found: (found: F) => Deed;
  readonly origins: Wish["origins"];
}

const wishFor =
  <T, F>({ text, value, fits, found, origins }: Kind<T, F>) =>
  (wanted: T): WishAt =>
  (pointer) => ({
    ...{ pointer, origins, text: text(wanted) },
    holds: (outcome) => {
      const here = value(outcome);
      return here !== undefined && fits(wanted, here);
    },
    found: (outcome) => {
      const here = value(outcome);
      return here === undefined ? deedOf(outcome.result) : found(here);
    },
  });

/* Words */

const go = (where: string): Deed => [`goes ${where}`, `go ${where}`];
const be = (what: string): Deed => [`is ${what}`, `are ${what}`];

/** How it ends. */
export function deedOf(result: Result): Deed {
  switch (result.kind) {
    case "forward":
    case "tunnel":
      return go(`to ${destinationText(result)}`);
    case "redirect":
      return be(`redirected to ${result.location} with ${result.status}`);
    case "answer":
      return be(`answered with ${result.status} by the proxy itself, as ${result.reason}`);
    case "close":
      return be(`closed, as ${result.reason}`);
    case "unknown":
      return be(`decided by the filter ${result.filter}, which is not known here`);
  }
}

function destinationText({ cluster, service }: Destination): string {
  if (service === undefined) return `cluster ${cluster}`;
  if (service.direction === "inbound") return `the application on port ${service.port}`;
  return `${service.host}:${service.port}${service.subset === undefined ? "" : `, subset ${service.subset}`}`;
}

const subsetText = (subset: string): string => (subset === "" ? "no subset" : `subset ${subset}`);

const withText = (name: string, value: string | null): string =>
  value === null ? `without the header ${name}` : `with ${name}: ${value || '""'}`;

/* Parts of outcomes */

const destinationIn = ({ result }: Outcome) =>
  result.kind === "forward" || result.kind === "tunnel" ? result : undefined;
const forwardedIn = ({ result }: Outcome) => (result.kind === "forward" ? result : undefined);

/** Who says where it ends; else who has the route. */
export function endOrigins(outcome: Outcome): readonly PlacedOrigin[] {
  const { origins = [] } = destinationIn(outcome) ?? {};
  return origins.length > 0 ? origins : routeOrigins(outcome);
}

const routeOrigins = ({ route }: Outcome): readonly PlacedOrigin[] => route?.origins ?? [];

/** undefined: nothing that a rule could have made took it. */
function rulesIn({ route, result }: Outcome): readonly string[] | undefined {
  const origins = route?.origins ?? (result.kind === "tunnel" ? result.origins : undefined);
  return origins && [...new Set(origins.flatMap((origin) => (origin.kind === "rule" ? [origin.rule] : [])))];
}

const isSame = <T>(wanted: T, found: T): boolean => wanted === found;

/** The host, or its first labels. */
const isHost = (wanted: string, host: string): boolean => host === wanted || host.startsWith(`${wanted}.`);

/** What each field of an expectation asks for. */
const wishes: { readonly [F in keyof Expectation]?: (wanted: Required<Expectation>[F]) => WishAt } = {
  rule: wishFor<string, readonly string[]>({
    text: (rule) => `the rule ${rule}`,
    value: rulesIn,
    fits: (wanted, found) => found.includes(wanted),
    found: (rules) => go(rules.length === 0 ? "by no rule" : `by ${rules.join(" and ")}`),
    origins: routeOrigins,
  }),
  route: wishFor({
    text: (name) => `the route ${name}`,
    value: ({ route }) => route?.name,
    fits: isSame,
    found: (name) => go(name === "" ? "by a route without a name" : `by the route ${name}`),
    origins: routeOrigins,
  }),
  cluster: wishFor({
    text: (cluster) => `cluster ${cluster}`,
    value: (outcome) => destinationIn(outcome)?.cluster,
    fits: isSame,
    found: (cluster) => go(`to cluster ${cluster}`),
    origins: endOrigins,
  }),
  service: wishFor({
    text: (host) => `service ${host}`,
    value: (outcome) => destinationIn(outcome)?.service?.host,
    fits: isHost,
    found: (host) => go(`to service ${host}`),
    origins: endOrigins,
  }),
  subset: wishFor({
    text: subsetText,
    value: (outcome) => {
      const destination = destinationIn(outcome);
      return destination && (destination.service?.subset ?? "");
    },
    fits: isSame,
    found: (subset) => go(`to ${subsetText(subset)}`),
    origins: endOrigins,
  }),
  port: wishFor({
    text: (port) => `port ${port}`,
    value: (outcome) => destinationIn(outcome)?.service?.port,
    fits: isSame,
    found: (port) => go(`to port ${port}`),
    origins: endOrigins,
  }),
  status: wishFor({
    text: (status) => `status ${status}`,
    value: ({ result }) => (result.kind === "redirect" || result.kind === "answer" ? result : undefined),
    fits: (wanted, { status }) => wanted === status,
    found: deedOf,
    origins: routeOrigins,
  }),
  location: wishFor({
    text: (location) => `a redirect to ${location}`,
    value: ({ result }) => (result.kind === "redirect" ? result.location : undefined),
    fits: isSame,
    found: (location) => be(`redirected to ${location}`),
    origins: routeOrigins,
  }),
  path: wishFor({
    text: (path) => `path ${quoted(path)}`,
    value: (outcome) => forwardedIn(outcome)?.request.path,
    fits: isSame,
    found: (path) => be(`sent on with path ${quoted(path)}`),
    origins: routeOrigins,
  }),
  authority: wishFor({
    text: (authority) => `authority ${authority}`,
    value: (outcome) => forwardedIn(outcome)?.request.authority,
    fits: isSame,
    found: (authority) => be(`sent on with authority ${authority}`),
    origins: routeOrigins,
  }),
};

const headerWish = (name: string) =>
  wishFor<string | null, { readonly text: string | null }>({
    text: (value) => `a request ${withText(name, value)}`,
    value: (outcome) => {
      const headers = forwardedIn(outcome)?.headers;
      if (headers === undefined) return undefined;
      const values = headers.filter(([one]) => one === name);
      return { text: values.length === 0 ? null : values.map(([, value]) => value).join(",") };
    },
    fits: (wanted, { text }) => wanted === text,
    found: ({ text }) => be(`sent on ${withText(name, text)}`),
    origins: routeOrigins,
  });

/** What an expectation asks of every part; not of the shares, and not of the response. */
export const wishesIn = (expectation: Expectation): readonly Wish[] => [
  ...Object.entries(wishes).flatMap(([field, wish]) => {
    const wanted = expectation[field as keyof Expectation];
    return wanted === undefined ? [] : [wish(wanted as never)(pointerTo("", field))];
  }),
  ...headerWishes(expectation.headers ?? {}),
];

const headerWishes = (headers: HeaderTexts): readonly Wish[] =>
  Object.entries(headers).map(([name, value]) => headerWish(name)(value)(pointerTo("/headers", name)));
