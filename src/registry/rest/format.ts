import {
  below,
  boolean,
  type Decoder,
  fail,
  integer,
  list,
  mapOf,
  mapped,
  parsed,
  refined,
  text,
} from "../../base/decode.ts";
import { type ObjectOf, object, optional, required, withDefault } from "../../base/decode-object.ts";
import { parseDurationMs } from "../../base/duration.ts";
import type { Hostname } from "../../model/hostname.ts";
import type { ServicePort } from "../../model/port.ts";
import { dnsLabel, instanceFields, instanceId, reachFields, serviceHost, servicePorts } from "../catalog-format.ts";
import { checkReach, checkServicePorts, checkUnique, type Reach } from "../service-checks.ts";
import type { InstanceRecord } from "./records.ts";

/** What a client says of a service; its host is in the address. */
export interface ServiceBody extends Reach {
  readonly namespace?: string;
  readonly ports: readonly ServicePort[];
  readonly external: boolean;
}

/** What a client says of an instance; its id is in the address. */
export type InstanceBody = Omit<InstanceRecord, "id" | "registered" | "draining">;

export interface InstancesBody {
  readonly instances: readonly (InstanceBody & { readonly id: string })[];
}

export interface HeartbeatBody {
  readonly generation?: number;
}

/** Of many instances of a service together. */
export interface HeartbeatsBody {
  readonly instances: readonly (HeartbeatBody & { readonly id: string })[];
}

export interface DrainBody {
  /** How long the instance stays, draining, before it is removed. */
  readonly forMs: number;
}

export interface RegistrationFormats {
  readonly host: Decoder<Hostname>;
  readonly id: Decoder<string>;
  readonly service: Decoder<ServiceBody>;
  readonly instance: Decoder<InstanceBody>;
  readonly instances: Decoder<InstancesBody>;
  readonly heartbeat: Decoder<HeartbeatBody>;
  readonly heartbeats: Decoder<HeartbeatsBody>;
  readonly drain: Decoder<DrainBody>;
}

const second = 1_000;
const hour = 3_600_000;

/** A time like `1m30s`, in milliseconds. */
function duration({ min, max, range }: { readonly min: number; readonly max: number; readonly range: string }) {
  const parse = (text: string) => {
    const ms = parseDurationMs(text);
    return ms === undefined ? undefined : { ms, text };
  };
  const time = parsed(parse, "a time like 10s", {
    maxLength: 32,
    hint: "Units are ms, s, m and h.",
    pattern: /^([0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h))+$/,
  });
  return mapped(time, ({ ms, text }, site) =>
    ms >= min && ms <= max ? ms : fail(site, "invalid-value", `Expected a time from ${range}, found ${text}.`),
  );
}

const ttl = duration({ min: second, max: 24 * hour, range: "1s to 24h" });
const drainTime = duration({ min: 0, max: hour, range: "0s to 1h" });
const generation = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

/** Tighter than in a file: these are kept for every instance that registers itself. */
const labels = mapOf(text({ minLength: 0, maxLength: 253 }), { name: text({ maxLength: 317 }), max: 64 });

export const registeredInstanceFields = {
  ...instanceFields,
  labels: withDefault(labels, {}),
  generation: optional(generation),
} as const;

export const registeredPorts: Decoder<readonly ServicePort[]> = refined(servicePorts, checkServicePorts);

const bodyFields = { ...registeredInstanceFields, ttl: optional(ttl) } as const;

const instance: Decoder<InstanceBody> = mapped(object(bodyFields), withTtlMs);

const bulkItem = mapped(object({ id: required(instanceId), ...bodyFields }), ({ id, ...body }) => ({
  id,
  ...withTtlMs(body),
}));

function withTtlMs({ ttl: ttlMs, ...rest }: ObjectOf<typeof bodyFields>): InstanceBody {
  return { ...rest, ...(ttlMs !== undefined && { ttlMs }) };
}

/** Instances in one request. */
const maxTogether = 1_000;

/** What clients send. */
export const formats: RegistrationFormats = {
  host: serviceHost,
  id: instanceId,
  service: refined(
    object({
      namespace: optional(dnsLabel),
      ...reachFields,
      ports: required(registeredPorts),
      external: withDefault(boolean, false),
    }),
    checkReach,
  ),
  instance,
  instances: refined(object({ instances: required(list(bulkItem, { max: maxTogether })) }), ({ instances }, site) => {
    checkUnique(
      instances.map(({ id }) => id),
      "instance id",
      below(site, "instances"),
      "id",
    );
  }),
  heartbeat: object({ generation: optional(generation) }),
  heartbeats: object({
    instances: required(
      list(object({ id: required(instanceId), generation: optional(generation) }), { max: maxTogether }),
    ),
  }),
  drain: mapped(object({ for: withDefault(drainTime, 5 * second) }), ({ for: forMs }) => ({ forMs })),
};
