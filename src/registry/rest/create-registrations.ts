import { compareText } from "../../base/compare-text.ts";
import { decode } from "../../base/decode.ts";
import type { Log } from "../../base/log.ts";
import { parsePlainHost } from "../catalog-format.ts";
import { formats } from "./format.ts";
import type { LeaseMetrics } from "./lease-metrics.ts";
import type { Live } from "./live.ts";
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
import type { InstanceRegistration, Registrations, Result } from "./registrations.ts";
import { instanceView, serviceView } from "./views.ts";
import type { Writer } from "./writer.ts";

export interface RegistrationParts {
  /** Throws the reason while nothing can be said. */
  readonly live: () => Live;
  readonly writer: Writer;
  readonly log: Log;
  readonly metrics?: LeaseMetrics;
  /** A heartbeat brought an instance back. */
  readonly onHealed: () => void;
}

export function createRegistrations(parts: RegistrationParts): Registrations {
  const { live, writer, log, metrics, onHealed } = parts;

  const write = async <T>(operation: Operation<T>, what: string, fields: object): Promise<Result<T>> => {
    live();
    const result = await writer.submit(operation);
    log.debug({ ...fields, result: result.kind }, what);
    return result;
  };

  const heartbeat = (hostText: string, id: string, body: unknown): Result<InstanceRegistration> => {
    const decoded = decode(formats.heartbeat, body ?? {});
    if (!decoded.ok) return { kind: "invalid", problems: decoded.problems };
    const host = parsePlainHost(hostText);
    if (host === undefined || live().service(host) === undefined) return noService;
    const known = live().instance(host, id);
    if (known === undefined) return noInstance;
    const { generation } = decoded.value;
    if (isOlder(generation, known.record.generation)) {
      return { kind: "stale", id, generation: known.record.generation ?? 0 };
    }
    // A later generation than the registered one did not register: what is known of it is not what runs.
    if (isOlder(known.record.generation, generation)) return noInstance;
    if (live().renew(host, id)) {
      metrics?.count("healed", 1);
      onHealed();
    }
    return { kind: "done", created: false, value: instanceView(known.record, known.lease) };
  };

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
      const host = parsePlainHost(hostText);
      if (host === undefined || live().service(host) === undefined) return undefined;
      return [...live().instances(host)]
        .sort((a, b) => compareText(a.record.id, b.record.id))
        .map(({ record, lease }) => instanceView(record, lease));
    },
    instance: (hostText, id) => {
      const host = parsePlainHost(hostText);
      const known = host && live().instance(host, id);
      return known && instanceView(known.record, known.lease);
    },
    putService: (host, body, by) => write(putService(host, body, by), "service put", { host, by }),
    deleteService: (host, by, { cascade = false } = {}) =>
      write(deleteService(host, cascade), "service deleted", { host, by }),
    putInstance: (host, id, body, by) => write(putInstance(host, id, body, by), "instance put", { host, id, by }),
    putInstances: (host, body, by) => write(putInstances(host, body, by), "instances put", { host, by }),
    heartbeat: (host, id, body) => {
      const result = heartbeat(host, id, body);
      const outcome = result.kind === "done" ? "renewed" : result.kind;
      if (outcome !== "invalid" && outcome !== "conflict") metrics?.heartbeat(outcome);
      return result;
    },
    drain: (host, id, body, by) => write(drain(host, id, body), "instance drained", { host, id, by }),
    deleteInstance: (host, id, by) => write(deleteInstance(host, id), "instance deleted", { host, id, by }),
  };
}
