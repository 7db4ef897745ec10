import type { Hostname } from "../../model/hostname.ts";
import type { Changes, InstanceChange } from "./changes.ts";
import type { Live } from "./live.ts";
import type { InstanceRecord, LeaseState, Moment, ServiceRecord } from "./records.ts";

/** What is registered, with changes that are not written yet. */
export interface Draft {
  readonly changes: Changes;
  readonly isEmpty: () => boolean;
  readonly totals: () => { readonly services: number; readonly instances: number };
  readonly service: (host: Hostname) => ServiceRecord | undefined;
  readonly instance: (host: Hostname, id: string) => InstanceRecord | undefined;
  readonly instances: (host: Hostname) => readonly InstanceRecord[];
  readonly lease: (host: Hostname, id: string, at: Moment) => LeaseState;
  readonly putService: (record: ServiceRecord) => void;
  /** Also where only a row that cannot be read is there. */
  readonly deleteService: (host: Hostname) => void;
  readonly changeInstance: (host: Hostname, id: string, change: InstanceChange) => void;
  /** The instance showed that it is alive, and nothing else changes. */
  readonly renew: (host: Hostname, id: string) => void;
}

export function createDraft(live: Live): Draft {
  const deletedServices = new Set<Hostname>();
  const services = new Map<Hostname, ServiceRecord>();
  const instances = new Map<Hostname, Map<string, InstanceChange>>();
  const totals = { ...live.totals() };

  const service = (host: Hostname): ServiceRecord | undefined =>
    services.get(host) ?? (deletedServices.has(host) ? undefined : live.service(host));

  const instance = (host: Hostname, id: string): InstanceRecord | undefined => {
    const change = instances.get(host)?.get(id);
    if (change !== undefined) return change.kind === "delete" ? undefined : change.record;
    return deletedServices.has(host) ? undefined : live.instance(host, id)?.record;
  };

  const all = (host: Hostname): readonly InstanceRecord[] => {
    const changed = instances.get(host) ?? new Map<string, InstanceChange>();
    const kept = deletedServices.has(host) ? [] : [...live.instances(host)].map(({ record }) => record);
    const put = [...changed.values()].flatMap((change) => (change.kind === "delete" ? [] : [change.record]));
    return [...kept.filter(({ id }) => !changed.has(id)), ...put];
  };

  return {
    changes: { deletedServices, services, instances },
    isEmpty: () => deletedServices.size + services.size + instances.size === 0,
    totals: () => totals,
    service,
    instance,
    instances: all,
    lease: (host, id, { monotonic }) => {
      const fresh = instances.get(host)?.get(id)?.kind === "put";
      return (fresh ? undefined : live.instance(host, id)?.lease) ?? { renewedAtMs: monotonic, missed: false };
    },
    putService: (record) => {
      if (service(record.host) === undefined) totals.services++;
      services.set(record.host, record);
    },
    deleteService: (host) => {
      if (service(host) !== undefined) totals.services--;
      totals.instances -= all(host).length;
      services.delete(host);
      instances.delete(host);
      deletedServices.add(host);
    },
    changeInstance: (host, id, change) => {
      totals.instances += Number(change.kind !== "delete") - Number(instance(host, id) !== undefined);
      const byId = instances.get(host) ?? new Map<string, InstanceChange>();
      instances.set(host, byId);
      // A drain of what is put in the same breath is still a put.
      const fresh = byId.get(id)?.kind === "put";
      byId.set(id, fresh && change.kind === "amend" ? { ...change, kind: "put" } : change);
    },
    renew: (host, id) => {
      if (!instances.get(host)?.has(id)) live.renew(host, id);
    },
  };
}
