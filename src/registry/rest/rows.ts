import { boolean, type Decoder, decode, integer, text } from "../../base/decode.ts";
import { object, optional, required } from "../../base/decode-object.ts";
import type { Hostname } from "../../model/hostname.ts";
import { formatLocality } from "../../model/locality.ts";
import { dnsLabel, parsePlainHost, reachFields } from "../catalog-format.ts";
import { registeredInstanceFields, registeredPorts } from "./format.ts";
import type { InstanceRow, ServiceRow } from "./lease-procedures.ts";
import type { InstanceRecord, ServiceRecord } from "./records.ts";

/**
 * What is as it is when nobody says otherwise is left out, as in rows of servers that did not know it. A protocol that nobody declared is
 * found again from the port.
 */
export const serviceRow = ({ host, ports, addresses, headless, ...rest }: ServiceRecord): ServiceRow => ({
  host,
  data: JSON.stringify({
    ...rest,
    ...(addresses.length > 0 && { addresses }),
    ...(headless && { headless }),
    ports: ports.map(({ protocol, ...port }) => (protocol === "auto" ? port : { ...port, protocol })),
  }),
});

export function instanceRow(host: Hostname, { id, locality, ...rest }: InstanceRecord): InstanceRow {
  const where = formatLocality(locality);
  return { host, id, data: JSON.stringify({ ...rest, ...(where !== "" && { locality: where }) }) };
}

/** What a row says, or why it cannot be read. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

const time = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const registered = object({ at: required(time), by: required(text({ minLength: 0 })) });

const storedService = object({
  namespace: required(dnsLabel),
  ...reachFields,
  ports: required(registeredPorts),
  external: required(boolean),
  registered: required(registered),
});

const storedInstance = object({
  ...registeredInstanceFields,
  ttlMs: optional(time),
  registered: required(registered),
  draining: optional(object({ since: required(time), until: required(time) })),
});

export function readServiceRow({ host, data }: ServiceRow): Read<ServiceRecord> {
  const name = parsePlainHost(host);
  if (name === undefined) return { ok: false, reason: "Its host is none." };
  const read = readJson(storedService, data);
  return read.ok ? { ok: true, value: { host: name, ...read.value } } : read;
}

export function readInstanceRow({ id, data }: InstanceRow): Read<InstanceRecord> {
  const read = readJson(storedInstance, data);
  return read.ok ? { ok: true, value: { id, ...read.value } } : read;
}

function readJson<T>(decoder: Decoder<T>, json: string): Read<T> {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch {
    return { ok: false, reason: "It is not JSON." };
  }
  const { ok, ...decoded } = decode(decoder, data);
  if (ok && "value" in decoded) return { ok, value: decoded.value };
  return { ok: false, reason: decoded.problems.map(({ pointer, message }) => `${pointer} ${message}`).join(" ") };
}
