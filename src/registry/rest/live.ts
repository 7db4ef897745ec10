import type { Clock } from "../../base/clock.ts";
import { shareUnchanged } from "../../base/share.ts";
import type { Catalog } from "../../model/catalog.ts";
import type { Hostname } from "../../model/hostname.ts";
import type { Instance } from "../../model/instance.ts";
import { isIpAddress } from "../../model/ip-address.ts";
import { createCatalogBuilder } from "./catalog-builder.ts";
import type { Changes, InstanceChange, InstanceName } from "./changes.ts";
import { createDeadlines } from "./deadlines.ts";
import {
  type InstanceRecord,
  instanceOf,
  type LeaseState,
  periodsUntilRemoval,
  type ServiceRecord,
} from "./records.ts";

/** What time did to instances. */
export interface Lapses {
  readonly missed: readonly InstanceName[];
  readonly expired: readonly InstanceName[];
  readonly drained: readonly InstanceName[];
}

/** What is registered now, and its leases. */
export interface Live {
  readonly services: () => Iterable<ServiceRecord>;
  readonly service: (host: Hostname) => ServiceRecord | undefined;
  readonly instances: (host: Hostname) => Iterable<LiveInstance>;
  readonly instance: (host: Hostname, id: string) => LiveInstance | undefined;
  readonly instanceCount: (host: Hostname) => number;
  readonly totals: () => { readonly services: number; readonly instances: number };
  /** Begins the lease anew; true when that healed a missed one. */
  readonly renew: (host: Hostname, id: string) => boolean;
  readonly apply: (changes: Changes) => void;
  readonly catalog: () => Catalog;
  /** No lease lapses any more. */
  readonly close: () => void;
}

export interface LiveInstance {
  readonly record: InstanceRecord;
  readonly lease: LeaseState;
}

interface Entry {
  readonly host: Hostname;
  record: InstanceRecord;
  lease: { renewedAtMs: number; missed: boolean };
  /** When its drain ends, on the monotonic clock; Infinity: it does not drain. */
  drainedAtMs: number;
  /** As the catalog has it. */
  shown: Instance;
}

interface ServiceEntry {
  record: ServiceRecord;
  readonly instances: Map<string, Entry>;
  /** How many of them have a host name for an address. */
  names: number;
}

export interface LiveOptions {
  readonly registry: string;
  readonly clock: Clock;
  /** Called after it happened; what is gone is gone from memory only. */
  readonly onLapse: (lapses: Lapses) => void;
  readonly onStall: (lateMs: number) => void;
}

export function createLive({ registry, clock, onLapse, onStall }: LiveOptions): Live {
  const services = new Map<Hostname, ServiceEntry>();
  let instanceTotal = 0;

  const builder = createCatalogBuilder(registry, (host) => {
    const service = services.get(host);
    return (
      service && {
        record: service.record,
        instance: (id) => service.instances.get(id)?.shown,
        hasNames: service.names > 0,
      }
    );
  });

  /** Heartbeats do not get here: a deadline that moves away is noticed when the old one has passed. */
  const deadlines = createDeadlines<Entry>({
    clock,
    dueAt: ({ record, lease, drainedAtMs }) => Math.min(nextLapseAt(record, lease), drainedAtMs),
    onDue: (due) => onLapse(lapse(due)),
    onStall: (lateMs) => {
      for (const { instances } of services.values()) {
        for (const { lease } of instances.values()) lease.renewedAtMs += lateMs;
      }
      onStall(lateMs);
    },
  });

  const show = (entry: Entry): void => {
    const shown = shareUnchanged(entry.shown, instanceOf(entry.record, entry.lease.missed, registry));
    if (shown === entry.shown) return;
    entry.shown = shown;
    builder.touchInstance(entry.host, entry.record.id);
  };

  const renew = (entry: Entry): boolean => {
    const healed = entry.lease.missed;
    entry.lease.renewedAtMs = clock.monotonic();
    entry.lease.missed = false;
    if (healed) {
      show(entry);
      deadlines.watch(entry);
    }
    return healed;
  };

  const remove = (service: ServiceEntry, entry: Entry): void => {
    service.instances.delete(entry.record.id);
    service.names -= nameCount(entry.record);
    instanceTotal--;
    deadlines.forget(entry);
    builder.touchInstance(entry.host, entry.record.id);
  };

  const lapse = (due: readonly Entry[]): Lapses => {
    const lapses = { missed: [] as InstanceName[], expired: [] as InstanceName[], drained: [] as InstanceName[] };
    for (const entry of due) {
      const { host, record, lease, drainedAtMs } = entry;
      const service = services.get(host);
      if (service?.instances.get(record.id) !== entry) continue;
      const drained = drainedAtMs <= clock.monotonic();
      if (drained || lease.missed) {
        remove(service, entry);
        lapses[drained ? "drained" : "expired"].push({ host, id: record.id });
      } else {
        lease.missed = true;
        show(entry);
        deadlines.watch(entry);
        lapses.missed.push({ host, id: record.id });
      }
    }
    return lapses;
  };

  const put = (service: ServiceEntry, host: Hostname, record: InstanceRecord, renewed: boolean): void => {
    const known = service.instances.get(record.id);
    if (known === undefined) {
      const lease = { renewedAtMs: clock.monotonic(), missed: false };
      const shown = instanceOf(record, false, registry);
      const entry = { host, record, lease, drainedAtMs: drainedAt(record, clock), shown };
      service.instances.set(record.id, entry);
      service.names += nameCount(record);
      instanceTotal++;
      builder.touchInstance(host, record.id);
      deadlines.watch(entry);
      return;
    }
    service.names += nameCount(record) - nameCount(known.record);
    known.record = record;
    known.drainedAtMs = drainedAt(record, clock);
    if (renewed) known.lease = { renewedAtMs: clock.monotonic(), missed: false };
    show(known);
    deadlines.watch(known);
  };

  const change = (service: ServiceEntry, host: Hostname, id: string, change: InstanceChange): void => {
    const known = service.instances.get(id);
    if (change.kind === "put") put(service, host, change.record, true);
    else if (known === undefined) return;
    else if (change.kind === "amend") put(service, host, change.record, false);
    else remove(service, known);
  };

  return {
    services: () => services.values().map(({ record }) => record),
    service: (host) => services.get(host)?.record,
    instances: (host) => services.get(host)?.instances.values() ?? [],
    instance: (host, id) => services.get(host)?.instances.get(id),
    instanceCount: (host) => services.get(host)?.instances.size ?? 0,
    totals: () => ({ services: services.size, instances: instanceTotal }),
    renew: (host, id) => {
      const entry = services.get(host)?.instances.get(id);
      return entry !== undefined && renew(entry);
    },
    apply: (changes) => {
      for (const host of changes.deletedServices) {
        const service = services.get(host);
        if (service === undefined) continue;
        for (const entry of [...service.instances.values()]) remove(service, entry);
        services.delete(host);
        builder.touchService(host);
      }
      for (const [host, record] of changes.services) {
        const service = services.get(host);
        if (service === undefined) services.set(host, { record, instances: new Map(), names: 0 });
        else service.record = record;
        builder.touchService(host);
      }
      for (const [host, byId] of changes.instances) {
        const service = services.get(host);
        if (service !== undefined) for (const [id, item] of byId) change(service, host, id, item);
      }
    },
    catalog: builder.build,
    close: deadlines.close,
  };
}

const never = Number.POSITIVE_INFINITY;

function nextLapseAt({ ttlMs }: InstanceRecord, { renewedAtMs, missed }: LeaseState): number {
  if (ttlMs === undefined) return never;
  return renewedAtMs + (missed ? periodsUntilRemoval : 1) * ttlMs;
}

/** However the time of day was set since it began: no drain lasts longer than it was asked for. */
function drainedAt({ draining }: InstanceRecord, clock: Clock): number {
  if (draining === undefined) return never;
  const { since, until } = draining;
  return clock.monotonic() + Math.min(until - clock.now(), until - since);
}

const nameCount = ({ address }: InstanceRecord): number => Number(!isIpAddress(address));
