import {
  arriving,
  type Case,
  direct,
  inbound,
  inboundPassthrough,
  known,
  loopback,
  unknown,
  unknownHost,
} from "./expected.ts";
import { type Addresses, addressesOf } from "./network.ts";
import type { Call } from "./peers/exchange.ts";
import { client, hostOf, outside, type Place, ratings, reviews, type ServicePlan, web } from "./services.ts";

/** A call; `authority`: the host that it asks for, without one the address. */
const calling =
  (addresses: Addresses, protocol: Call["protocol"], port: number, authority?: string): Case["call"] =>
  (family) => ({ protocol, host: addresses[family], port, ...(authority === undefined ? {} : { authority }) });

const to = ({ virtual }: ServicePlan & { readonly virtual: Addresses }, ...rest: CallRest): Case["call"] =>
  calling(virtual, ...rest);

const toPlace = ({ number }: Place, ...rest: CallRest): Case["call"] => calling(addressesOf(number), ...rest);

type CallRest = [protocol: Call["protocol"], port: number, authority?: string];

/** Of the client: name, call, what is expected. */
type Row = readonly [string, Case["call"], Case["expected"]];

const host = hostOf(reviews.name);
const [pod] = reviews.pods;

const services: readonly Row[] = [
  ...[`${host}:9080`, host, "reviews.shop", "reviews", undefined].map((asked): Row => {
    const name = `HTTP/1.1, asking for ${asked ?? "the virtual address"}`;
    return [name, to(reviews, "http", 9080, asked), known("http", "HTTP/1.1", reviews, 9080)];
  }),
  ["HTTP/2 with prior knowledge", to(reviews, "http2", 9091, host), known("http", "HTTP/2.0", reviews, 9091)],
  ["HTTP/2 to a port of HTTP/1.1", to(reviews, "http2", 9080, host), known("http", "HTTP/1.1", reviews, 9080)],
  ["gRPC", to(reviews, "grpc", 9090, host), known("http", "gRPC", reviews, 9090)],
  ["gRPC to a pod's address", toPlace(pod, "grpc", 9090, host), known("http", "gRPC", reviews, 9090)],
  ["TLS that its ends alone can read", to(reviews, "tls", 8443, host), known("tcp", "TLS", reviews, 8443)],
  ["TCP", to(reviews, "bytes", 7000), known("tcp", "bytes hello", reviews, 7000)],
  ["TCP, the server speaks first", to(reviews, "greeting", 7001), known("tcp", "bytes thanks", reviews, 7001)],
  [
    "port 3306 of no declared protocol, the server speaks first",
    to(reviews, "greeting", 3306),
    known("tcp", "bytes thanks", reviews, 3306),
  ],
  ["no declared protocol: HTTP", to(reviews, "http", 7070, host), known("http", "HTTP/1.1", reviews, 7070)],
  ["no declared protocol: bytes", to(reviews, "bytes", 7070), known("tcp", "bytes hello", reviews, 7070)],
];

const headless: readonly Row[] = ratings.pods.flatMap((each): readonly Row[] => [
  [`TCP to ${each.name}`, toPlace(each, "bytes", 6000), known("tcp", "bytes hello", ratings, 6000, [each])],
  ...[hostOf(ratings.name), `${each.name}.${hostOf(ratings.name)}`, `${each.name}.ratings`].map((asked): Row => {
    const name = `HTTP to ${each.name}, asking for ${asked}`;
    return [name, toPlace(each, "http", 9080, asked), known("http", "HTTP/1.1", ratings, 9080, [each])];
  }),
]);

const itself: readonly Row[] = [
  ["its service's virtual address", to(web, "http", 80, hostOf(web.name)), known("http", "HTTP/1.1", web, 80)],
  ["its own address", toPlace(client, "http", 8080), direct("HTTP/1.1", "client")],
  ["localhost", calling(loopback, "http", 8080), direct("HTTP/1.1", "loopback")],
];

const unknowns: readonly Row[] = [
  ...["unknown.example", undefined].map(
    (asked): Row => [
      `a port that services have for HTTP, asking for ${asked ?? "its address"}`,
      toPlace(outside, "http", 9080, asked),
      unknownHost,
    ],
  ),
  ["a port that services have for HTTP: TLS", toPlace(outside, "tls", 9091), unknown("TLS")],
  ["a port that services have for HTTP: bytes", toPlace(outside, "bytes", 9090), unknown("bytes hello")],
  ["a port that services have for TCP", toPlace(outside, "bytes", 7000), unknown("bytes hello")],
  ["a port that no service has: HTTP", toPlace(outside, "http", 5000), unknown("HTTP/1.1")],
  ["a port that no service has: bytes", toPlace(outside, "bytes", 5000), unknown("bytes hello")],
  ["a port that no service has: the server speaks first", toPlace(outside, "greeting", 5001), unknown("bytes thanks")],
  [
    "a pod's port that no service has: the server speaks first",
    toPlace(pod, "greeting", 5001),
    unknown("bytes thanks", pod, inboundPassthrough),
  ],
  [
    "a pod's port that a service has under another number: HTTP",
    toPlace(pod, "http", 8080),
    unknown("HTTP/1.1", pod, inbound("http", 8080)),
  ],
];

const fromOutside: readonly Row[] = [
  ["HTTP", toPlace(pod, "http", 8080), arriving("HTTP/1.1", pod, inbound("http", 8080))],
  ["HTTP/2", toPlace(pod, "http2", 18_091), arriving("HTTP/2.0", pod, inbound("http", 18_091))],
  ["TCP", toPlace(pod, "bytes", 7000), arriving("bytes hello", pod, inbound("tcp", 7000))],
  ["no declared protocol: HTTP", toPlace(pod, "http", 17_070), arriving("HTTP/1.1", pod, inbound("http", 17_070))],
  ["no declared protocol: bytes", toPlace(pod, "bytes", 17_070), arriving("bytes hello", pod, inbound("tcp", 17_070))],
  ["a port that no service has: HTTP", toPlace(pod, "http", 5000), arriving("HTTP/1.1", pod, inboundPassthrough)],
  ["a port that no service has: bytes", toPlace(pod, "bytes", 5000), arriving("bytes hello", pod, inboundPassthrough)],
  [
    "a port that no service has: the server speaks first",
    toPlace(pod, "greeting", 5001),
    arriving("bytes thanks", pod, inboundPassthrough),
  ],
];

const casesOf = (from: Place, rows: readonly Row[]): readonly Case[] =>
  rows.map(([name, call, expected]) => ({ name, from, call, expected }));

export const groups: readonly (readonly [string, readonly Case[]])[] = [
  ["to a service", casesOf(client, services)],
  ["to a headless service's pod by its address", casesOf(client, headless)],
  ["to itself", casesOf(client, itself)],
  ["to where no service is", casesOf(client, unknowns)],
  ["to a pod, from somebody without sidecar", casesOf(outside, fromOutside)],
];
