import {
  type Decoder,
  type Failed,
  fail,
  integer,
  isObject,
  list,
  mapOf,
  mapped,
  parsed,
  refined,
  type Site,
  schemaOf,
  text,
  withSchema,
  wrongType,
} from "../base/decode.ts";
import { object, optional, required } from "../base/decode-object.ts";
import { orNull } from "../base/json-schema.ts";
import { headerName } from "./header-name.ts";

/** What a test expects of a request; all that is given must hold, of each of its parts where it goes several ways. */
export interface Expectation extends Landing {
  /** The rule behind the route: `Kind/namespace/name`. */
  readonly rule?: string;
  /** The name of the route. */
  readonly route?: string;
  readonly port?: number;
  /** Of a redirect. */
  readonly location?: string;
  /** As it is sent on, with its query. */
  readonly path?: string;
  /** As it is sent on. */
  readonly authority?: string;
  /** As they are sent on; several values of one name are joined by commas. */
  readonly headers?: HeaderTexts;
  /** All parts. A part counts for the first share that it fits. */
  readonly shares?: readonly ExpectedShare[];
  /** What a client gets: only who sends the request can see it. */
  readonly response?: ExpectedResponse;
}

/** Where a request, or a part of the requests, ends. */
export interface Landing {
  readonly cluster?: string;
  /** A host name, or its first labels. */
  readonly service?: string;
  /** Empty: none. */
  readonly subset?: string;
  /** Of a redirect, or of an answer that the proxy gives itself. */
  readonly status?: number;
}

export interface ExpectedShare extends Landing {
  /** Of the requests. */
  readonly percent: number;
}

export interface ExpectedResponse {
  readonly status?: number;
  readonly headers?: HeaderTexts;
  /** Contained in it. */
  readonly body?: string;
}

/** By name in lower case; null: it is not there. */
export type HeaderTexts = Readonly<Record<string, string | null>>;

export type ExpectedField = keyof Expectation;

const word = text({ minLength: 0, maxLength: 8_192 });
const status = integer({ min: 100, max: 599 });

const rule = parsed(
  (value) => (/^[A-Za-z]+\/[^/\s]+\/[^/\s]+$/.test(value) ? value : undefined),
  "a rule such as VirtualService/shop/reviews",
);

const sentName = mapped<string, string>(headerName, (name, site) =>
  name.toLowerCase() === "host" ? noHost(site) : name.toLowerCase(),
);

const noHost = (site: Site): Failed => fail(site, "invalid-value", "The host is no header here.", "It is `authority`.");

const headerText: Decoder<string | null> = withSchema(
  (value, site) => (value === null ? null : word(value, site)),
  () => orNull({ type: "string" }),
);

const headerTexts: Decoder<HeaderTexts> = mapOf(headerText, { name: sentName, max: 100 });

/** Proxies add these by themselves. */
const addedHeader = /^x-(envoy-|forwarded-|request-id$)/;

const sentHeaders: Decoder<HeaderTexts> = refined(headerTexts, (headers, site) => {
  for (const [name, value] of Object.entries(headers)) {
    if (value === null && addedHeader.test(name)) {
      const hint = "Proxies add it by themselves, which is not known before.";
      fail(site, "invalid-value", `That ${name} is not there cannot be told.`, hint);
    }
  }
});

/** Fields that are absent when they are null have another meaning for it here: none. */
const nullAsEmpty = <T>(name: string, decoder: Decoder<T>): Decoder<T> =>
  withSchema(
    (value, site) => decoder(isObject(value) && value[name as never] === null ? { ...value, [name]: "" } : value, site),
    () => schemaOf(decoder),
  );

const landing = {
  cluster: optional(text()),
  service: optional(text({ maxLength: 253 })),
  subset: optional(text({ minLength: 0, maxLength: 253 })),
  status: optional(status),
} as const;

const percent: Decoder<number> = withSchema(
  (value, site) => {
    if (typeof value !== "number") return wrongType(site, "a number of percent", value);
    return value >= 0 && value <= 100
      ? value
      : fail(site, "invalid-value", `Expected a number from 0 to 100, found ${value}.`);
  },
  () => ({ type: "number", minimum: 0, maximum: 100 }),
);

const share: Decoder<ExpectedShare> = refined(
  nullAsEmpty("subset", object({ ...landing, percent: required(percent) })),
  (one, site) => {
    if (Object.keys(one).length > 1) return;
    fail(site, "missing-field", "It is not said whose share this is.", "Give a cluster, service, subset or status.");
  },
);

/** Percent points by which shares may be off. */
export const tolerance = 0.01;

/** What is left of a sum of fractions. */
const rounding = 1e-9;

export const isSameShare = (percent: number, found: number, times = 1): boolean =>
  Math.abs(percent - found) <= tolerance * times + rounding;

const shares: Decoder<readonly ExpectedShare[]> = refined(list(share, { min: 1, max: 100 }), (all, site) => {
  const sum = all.reduce((before, one) => before + one.percent, 0);
  if (isSameShare(100, sum, all.length)) return;
  const shown = Number(sum.toFixed(4));
  fail(site, "invalid-value", `The shares come to ${shown} %.`, "Name all parts: together they come to 100 %.");
});

const atLeastOne = <T extends object>(decoder: Decoder<T>): Decoder<T> =>
  refined(decoder, (value, site) => {
    if (Object.keys(value).length === 0) fail(site, "missing-field", "Nothing is expected here.", "Say at least one.");
  });

const response: Decoder<ExpectedResponse> = atLeastOne(
  object({
    status: optional(status),
    headers: optional(headerTexts),
    body: optional(text({ maxLength: 65_536, multiline: true })),
  }),
);

export const expectation: Decoder<Expectation> = atLeastOne(
  nullAsEmpty(
    "subset",
    object({
      rule: optional(rule),
      route: optional(word),
      ...landing,
      port: optional(integer({ min: 1, max: 65_535 })),
      location: optional(word),
      path: optional(word),
      authority: optional(word),
      headers: optional(sentHeaders),
      shares: optional(shares),
      response: optional(response),
    }),
  ),
);
