import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import {
  HttpConnectionManager_ForwardClientCertDetails as Certificate,
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
  HttpConnectionManager_PathWithEscapedSlashesAction as Slashes,
} from "../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { messageTypes } from "./pack.ts";

export type { HttpConnectionManager } from "../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";

/** From proto JSON; throws where it is no such message. Fields that we do not know are left out. */
export const readHttpConnectionManager = (json: JsonValue): HttpConnectionManager =>
  fromJson(HttpConnectionManagerSchema, json, { registry: messageTypes, ignoreUnknownFields: true });

/** What is done with a path in which slashes, of both kinds, are written as `%2F` and `%5C`. */
export type EscapedSlashes = "keep" | "reject" | "unescape-and-redirect" | "unescape-and-forward";

const escapedSlashes: Readonly<Record<Slashes, EscapedSlashes>> = {
  [Slashes.IMPLEMENTATION_SPECIFIC_DEFAULT]: "keep",
  [Slashes.KEEP_UNCHANGED]: "keep",
  [Slashes.REJECT_REQUEST]: "reject",
  [Slashes.UNESCAPE_AND_REDIRECT]: "unescape-and-redirect",
  [Slashes.UNESCAPE_AND_FORWARD]: "unescape-and-forward",
};

export const escapedSlashesOf = ({ pathWithEscapedSlashesAction: action }: HttpConnectionManager): EscapedSlashes =>
  escapedSlashes[action] ?? "keep";

/** Which ports an authority loses: none, the listener's own, any. */
export type StrippedPort = "none" | "own" | "any";

export function strippedPortOf({ stripMatchingHostPort, stripPortMode }: HttpConnectionManager): StrippedPort {
  if (stripPortMode.value === true) return "any";
  return stripMatchingHostPort ? "own" : "none";
}

/** When the header in which a proxy tells of the client's certificate is believed; `own`: one is made, of the connection's certificate. */
export type ForwardedCertificate = "never" | "with-tls" | "always" | "own";

const forwardedCertificates: Readonly<Record<Certificate, ForwardedCertificate>> = {
  [Certificate.SANITIZE]: "never",
  [Certificate.FORWARD_ONLY]: "with-tls",
  [Certificate.APPEND_FORWARD]: "own",
  [Certificate.SANITIZE_SET]: "own",
  [Certificate.ALWAYS_FORWARD_ONLY]: "always",
};

export const forwardedCertificateOf = ({
  forwardClientCertDetails: how,
}: HttpConnectionManager): ForwardedCertificate => forwardedCertificates[how] ?? "never";
