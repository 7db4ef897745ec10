import type { Clock } from "../../base/clock.ts";
import { compareText } from "../../base/compare-text.ts";
import { decode } from "../../base/decode.ts";
import type { Log } from "../../base/log.ts";
import type { Hostname } from "../../model/hostname.ts";
import { parsePlainHost } from "../catalog-format.ts";
import { formats } from "./format.ts";
import type { LeaseMetrics } from "./lease-metrics.ts";
import type { Live, LiveInstance } from "./live.ts";
import {
  deleteInstance,
  deleteService,
  drain,
  isOlder,
  noInstance,
  noService,
  type Operation,
  putInstance,
  putInstances,
  putService,
} from "./operations.ts";
import { momentOf } from "./records.ts";
import type { InstanceRegistration, Registrations, Result } from "./registrations.ts";
import { instanceView, serviceView } from "./views.ts";
import type { Writer } from "./writer.ts";

export interface RegistrationParts {
  /** Throws the reason while nothing can be said. */
  readonly live: () => Live;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: LeaseMetrics;
  /** A heartbeat brought an instance back. */
  readonly onHealed: () => void;
}

export function createRegistrations(parts: RegistrationParts): Registrations {
  const { live, writer, clock, log, metrics, onHealed } = parts;

  const write = async <T>(operation: Operation<T>, what: string, fields: object): Promise<Result<T>> => {
    live();
    const result = await writer.submit(operation);
    log.debug({ ...fields, result: result.kind }, what);
    return result;
  };

  const beat = (host: Hostname | undefined, id: string, generation: number | undefined): Beat => {
    const known = host && live().instance(host, id);
    // A later generation than the registered one did not register: what is known of it is not what runs.
    if (host === undefined || known === undefined || isOlder(known.record.generation, generation)) {
      return count({ state: "not-found" });
    }
    if (isOlder(generation, known.record.generation)) return count({ state: "stale", known });
    if (live().renew(host, id)) {
      metrics?.count("healed", 1);
      onHealed();
    }
    return count({ state: "live", known });
  };

  const count = (result: Beat): Beat => {
    metrics?.heartbeat(result.state === "live" ? "renewed" : result.state);
    return result;
  };

  const knownService = (hostText: string): Hostname | undefined => {
    const host = parsePlainHost(hostText);
    return host === undefined || live().service(host) === undefined ? undefined : host;
  };

  const view = ({ record, lease }: LiveInstance): InstanceRegistration => instanceView(record, lease, momentOf(clock));

  return {
    formats,
    services: () =>
      [...live().services()]
        .sort((a, b) => compareText(a.host, b.host))
        .map((record) => serviceView(record, live().instanceCount(record.host))),
    service: (hostText) => {
      const host = parsePlainHost(hostText);
      const record = host && live().service(host);
      return record && serviceView(record, live().instanceCount(record.host));
    },
    instances: (hostText) => {
      const host = knownService(hostText);
      if (host === undefined) return undefined;
      return [...live().instances(host)].sort((a, b) => compareText(a.record.id, b.record.id)).map(view);
    },
    instance: (hostText, id) => {
      const host = parsePlainHost(hostText);
      const known = host && live().instance(host, id);
      return known && view(known);
    },
    putService: (host, body, by) => write(putService(host, body, by), "service put", { host, by }),
    deleteService: (host, by, { cascade = false } = {}) =>
      write(deleteService(host, cascade), "service deleted", { host, by }),
    putInstance: (host, id, body, by) => write(putInstance(host, id, body, by), "instance put", { host, id, by }),
    putInstances: (host, body, by) => write(putInstances(host, body, by), "instances put", { host, by }),
    heartbeat: (hostText, id, body) => {
      const decoded = decode(formats.heartbeat, body === undefined ? {} : body);
      if (!decoded.ok) return { kind: "invalid", problems: decoded.problems };
      const host = knownService(hostText);
      const { state, known } = beat(host, id, decoded.value.generation);
      if (known === undefined) return host === undefined ? noService : noInstance;
      if (state === "stale") return { kind: "stale", id, generation: known.record.generation ?? 0 };
      return { kind: "done", created: false, value: view(known) };
    },
    heartbeats: (hostText, body) => {
      const decoded = decode(formats.heartbeats, body);
      if (!decoded.ok) return { kind: "invalid", problems: decoded.problems };
      const host = knownService(hostText);
      if (host === undefined) return noService;
      const value = decoded.value.instances.map(({ id, generation }) => ({
        id,
        state: beat(host, id, generation).state,
      }));
      return { kind: "done", created: false, value };
    },
    drain: (host, id, body, by) => write(drain(host, id, body), "instance drained", { host, id, by }),
    deleteInstance: (host, id, by) => write(deleteInstance(host, id), "instance deleted", { host, id, by }),
  };
}

/** What a heartbeat found. */
type Beat =
  | { readonly state: "live" | "stale"; readonly known: LiveInstance }
  | { readonly state: "not-found"; readonly known?: undefined };
