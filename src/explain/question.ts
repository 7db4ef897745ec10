import {
  anything,
  boolean,
  type Decoder,
  described,
  fail,
  list,
  mapOf,
  mapped,
  parsed,
  refined,
  type Site,
  text,
  wrongType,
} from "../base/decode.ts";
import { object, optional, required, withDefault } from "../base/decode-object.ts";
import { type HostPort, parseHostPort } from "../base/host-port.ts";
import { isIpAddress } from "../model/ip-address.ts";
import { headerName } from "./header-name.ts";
import type { Request } from "./request.ts";

/** What is asked: a request, or a connection alone, and where it arrives. */
export interface Question {
  /** Absent: the target is one of bare connections (`tcp://`, `tls://`). */
  readonly request?: Request;
  /** The listener's name; absent: it is found by where the request goes. */
  readonly listener?: string;
  /** Where the client dialled. Without an address the name is looked up where connections are captured; else the listener is found by the port. */
  readonly destination: { readonly address?: string; readonly port: number; readonly name?: string };
  /** The workload beside the proxy is called; else it calls. */
  readonly isInbound: boolean;
  readonly source?: { readonly address: string; readonly port: number };
  readonly serverName?: string;
  readonly isTls: boolean;
  readonly applicationProtocols: readonly string[];
}

/** A question as it is written. */
type QuestionBody = typeof body extends Decoder<infer T> ? T : never;

interface Target {
  readonly scheme: "http" | "https" | "tcp" | "tls";
  /** As it is written, with its port where one is given. */
  readonly authority: string;
  readonly host: string;
  readonly port: number;
  /** With its query; a path that is not there is `/`. */
  readonly path: string;
}

const usualPorts = { http: 80, https: 443, tcp: 0, tls: 443 } as const;

/** Taken apart as it stands: nothing is decoded, and no dots are resolved, as that is Envoy's to do. */
function parseTarget(url: string): Target | undefined {
  const [, scheme, authority, host = "", port, path = ""] =
    /^(https?|tcp|tls):\/\/((\[[0-9A-Fa-f:.]+\]|[^/?#:@[\]\s]+)(?::([0-9]{1,5}))?)((?:[/?#].*)?)$/.exec(url) ?? [];
  if (scheme === undefined || authority === undefined) return undefined;
  const known = scheme as Target["scheme"];
  const number = port === undefined ? usualPorts[known] : Number(port);
  const hasPath = known === "http" || known === "https" || path === "";
  if (number === 0 || number > 65_535 || !hasPath) return undefined;
  return {
    ...{ scheme: known, authority, port: number },
    host: host.replace(/^\[|\]$/g, ""),
    path: path.startsWith("/") ? path : `/${path}`,
  };
}

const target = parsed(parseTarget, "a URL such as http://reviews:9080/api or tcp://10.0.0.1:3306", {
  maxLength: 8_192,
  hint: "It begins with http://, https://, tcp:// or tls://; the last two are connections without requests.",
});

const method = parsed((value) => (/^[A-Za-z][A-Za-z-]*$/.test(value) ? value : undefined), "a method such as GET", {
  maxLength: 32,
});

const headerValue = text({ minLength: 0, maxLength: 8_192 });

/** One value, or several of the same name in their order. */
const headerValues: Decoder<readonly string[]> = described(
  (value, site) => {
    if (typeof value === "string") {
      const one = headerValue(value, site);
      return typeof one === "string" ? [one] : one;
    }
    return Array.isArray(value)
      ? list(headerValue, { min: 1, max: 100 })(value, site)
      : wrongType(site, "a text", value);
  },
  { oneOf: [{ type: "string" }, { type: "array", items: { type: "string" }, minItems: 1, maxItems: 100 }] },
);

const address = parsed(parseAddress, "an address with a port, such as 10.0.0.1:9080", { maxLength: 64 });

function parseAddress(value: string): { readonly address: string; readonly port: number } | undefined {
  const found: HostPort | undefined = parseHostPort(value);
  return found !== undefined && value.includes(":") && isIpAddress(found.host)
    ? { address: found.host, port: found.port }
    : undefined;
}

const certificate = object({ presented: withDefault(boolean, true), validated: withDefault(boolean, true) });

const fields = {
  method: withDefault(method, "GET"),
  url: required(target),
  authority: optional(text({ maxLength: 1_024 })),
  headers: withDefault(mapOf(headerValues, { name: headerName, max: 100 }), {}),
  listener: optional(text()),
  destination: optional(address),
  inbound: withDefault(boolean, false),
  source: optional(address),
  serverName: optional(text({ maxLength: 255 })),
  applicationProtocols: withDefault(list(text({ maxLength: 255 }), { max: 16 }), []),
  certificate: optional(certificate),
  metadata: withDefault(mapOf(anything, { max: 100 }), {}),
} as const;
const body = object(fields);

/** Reads a question from outside. */
export const question: Decoder<Question> = mapped(refined(body, expectHeaders), questionOf);

/** The same, with the proxy that is asked: its node.id, its name or `name.namespace`. */
export const proxyQuestion: Decoder<{ readonly proxy: string; readonly question: Question }> = mapped(
  refined(object({ proxy: required(text()), ...fields }), expectHeaders),
  ({ proxy, ...asked }) => ({ proxy, question: questionOf(asked) }),
);

function expectHeaders({ url: { scheme }, headers }: QuestionBody, site: Site): void {
  const isBare = scheme === "tcp" || scheme === "tls";
  if (isBare && Object.keys(headers).length > 0) {
    fail(site, "conflict", "A connection without a request has no headers.", "Give a URL with http:// or https://.");
  }
}

function questionOf(asked: QuestionBody): Question {
  const { scheme, host, port, authority, path } = asked.url;
  const isTls = scheme === "https" || scheme === "tls";
  const serverName = asked.serverName ?? (isTls && !isIpAddress(host) ? host : undefined);
  const dialled = isIpAddress(host) ? { address: host } : { name: host };
  return {
    ...(asked.listener !== undefined && { listener: asked.listener }),
    destination: asked.destination ?? { ...dialled, port },
    isInbound: asked.inbound,
    ...(asked.source && { source: asked.source }),
    ...(serverName !== undefined && { serverName }),
    isTls,
    applicationProtocols: asked.applicationProtocols,
    ...((scheme === "http" || scheme === "https") && {
      request: {
        ...{ method: asked.method, scheme, authority: asked.authority ?? authority },
        ...(asked.method !== "CONNECT" && { path }),
        headers: Object.entries(asked.headers).flatMap(([name, values]) =>
          values.map((value) => [name, value] as const),
        ),
        metadata: asked.metadata,
        ...(isTls && { certificate: asked.certificate ?? { presented: false, validated: false } }),
      },
    }),
  };
}
