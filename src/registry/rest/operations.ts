import { below, decode, type Problem, type Site } from "../../base/decode.ts";
import { shareUnchanged } from "../../base/share.ts";
import type { Hostname } from "../../model/hostname.ts";
import { isIpAddress } from "../../model/ip-address.ts";
import { namespaceOf } from "../catalog-format.ts";
import { checkInstanceAddress, checkInstancePorts, whyIpAddresses } from "../service-checks.ts";
import type { Draft } from "./draft.ts";
import { formats, type InstanceBody } from "./format.ts";
import type { InstanceRecord, Moment, ServiceRecord } from "./records.ts";
import type { Done, InstanceRegistration, Refusal, Result, ServiceRegistration } from "./registrations.ts";
import { instanceView, serviceView } from "./views.ts";

/** How many of each there may be. */
export interface Limits {
  readonly services: number;
  readonly instances: number;
}

/** Where and when an operation works. */
export interface Scene {
  readonly draft: Draft;
  readonly at: Moment;
  readonly limits: Limits;
  /** Rows that cannot be read: a registration replaces them, a deletion deletes them. */
  readonly unreadable: Unreadable;
}

export interface Unreadable {
  readonly service: (host: Hostname) => boolean;
  readonly instance: (host: Hostname, id: string) => boolean;
}

/** One change to what is registered: it changes the draft, or refuses and leaves it as it was. */
export type Operation<T> = (scene: Scene) => Result<T>;

export function putService(hostText: string, body: unknown, by: string): Operation<ServiceRegistration> {
  const host = decode(formats.host, hostText);
  const decoded = decode(formats.service, body);
  return ({ draft, at, limits, unreadable }) => {
    if (!host.ok || !decoded.ok) return invalid(...host.problems, ...decoded.problems);
    const known = draft.service(host.value);
    const { namespace = namespaceOf(host.value) } = decoded.value;
    const registered = known?.registered ?? { at: at.now, by };
    const record = shareUnchanged(known, { host: host.value, namespace, ...decoded.value, registered });
    const instances = draft.instances(host.value);
    const value = serviceView(record, instances.length);
    if (record === known) return done(value, false);
    if (known === undefined && draft.totals().services >= limits.services) return full("services", limits.services);
    const clash = portInUse(record, instances) ?? nameInUse(record, instances);
    if (clash !== undefined) return clash;
    if (unreadable.service(host.value)) draft.deleteService(host.value);
    draft.putService(record);
    return done(value, known === undefined);
  };
}

/** What there was; undefined where it could not be read. */
export function deleteService(hostText: string, cascade: boolean): Operation<ServiceRegistration | undefined> {
  const host = decode(formats.host, hostText);
  return ({ draft, unreadable }) => {
    const known = host.ok ? draft.service(host.value) : undefined;
    if (!host.ok || (known === undefined && !unreadable.service(host.value))) return noService;
    const count = draft.instances(host.value).length;
    if (count > 0 && !cascade) {
      const message = `The service ${host.value} has ${count} instance${count === 1 ? "" : "s"}.`;
      return { kind: "conflict", message, hint: "Delete its instances first, or delete them with it (cascade)." };
    }
    draft.deleteService(host.value);
    return done(known && serviceView(known, count), false);
  };
}

export function putInstance(hostText: string, id: string, body: unknown, by: string): Operation<InstanceRegistration> {
  const host = decode(formats.host, hostText);
  const key = decode(formats.id, id);
  const decoded = decode(formats.instance, body);
  return (scene) => {
    if (!host.ok || !key.ok || !decoded.ok) return invalid(...host.problems, ...key.problems, ...decoded.problems);
    const items = [{ id: key.value, ...decoded.value }];
    const result = putAll(scene, host.value, items, by, (_index, site) => site);
    if (result.kind !== "done") return result;
    const [value] = result.value;
    return value === undefined ? noInstance : done(value, result.created);
  };
}

export function putInstances(hostText: string, body: unknown, by: string): Operation<readonly InstanceRegistration[]> {
  const host = decode(formats.host, hostText);
  const decoded = decode(formats.instances, body);
  return (scene) => {
    if (!host.ok || !decoded.ok) return invalid(...host.problems, ...decoded.problems);
    const siteOf = (index: number, site: Site) => below(below(site, "instances"), index);
    return putAll(scene, host.value, decoded.value.instances, by, siteOf);
  };
}

export function drain(hostText: string, id: string, body: unknown): Operation<InstanceRegistration> {
  const host = decode(formats.host, hostText);
  const decoded = decode(formats.drain, body === undefined ? {} : body);
  return ({ draft, at }) => {
    if (!decoded.ok) return invalid(...decoded.problems);
    if (!host.ok || draft.service(host.value) === undefined) return noService;
    const known = draft.instance(host.value, id);
    if (known === undefined) return noInstance;
    const draining = { since: known.draining?.since ?? at.now, until: at.now + decoded.value.forMs };
    const record = shareUnchanged(known, { ...known, draining });
    const view = instanceView(record, draft.lease(host.value, id, at), at);
    if (record !== known) draft.changeInstance(host.value, id, { kind: "amend", record });
    return done(view, false);
  };
}

/** What there was; undefined where it could not be read. */
export function deleteInstance(hostText: string, id: string): Operation<InstanceRegistration | undefined> {
  const host = decode(formats.host, hostText);
  return ({ draft, at, unreadable }) => {
    if (!host.ok || draft.service(host.value) === undefined) return noService;
    const known = draft.instance(host.value, id);
    if (known === undefined && !unreadable.instance(host.value, id)) return noInstance;
    const view = known && instanceView(known, draft.lease(host.value, id, at), at);
    draft.changeInstance(host.value, id, { kind: "delete" });
    return done(view, false);
  };
}

/** All or none: everything is looked at before the first change. */
function putAll(
  { draft, at, limits }: Scene,
  host: Hostname,
  items: readonly (InstanceBody & { readonly id: string })[],
  by: string,
  siteOf: (index: number, site: Site) => Site,
): Result<readonly InstanceRegistration[]> {
  const service = draft.service(host);
  if (service === undefined) return noService;
  const problems: Problem[] = [];
  const root: Site = { pointer: "", report: (problem) => problems.push(problem) };
  for (const [index, { address, ports }] of items.entries()) {
    const site = siteOf(index, root);
    checkInstanceAddress(address, service, below(site, "address"));
    checkInstancePorts(ports, service.ports, below(site, "ports"));
  }
  if (problems.length > 0) return invalid(...problems);
  const news = items.map((item) => {
    const known = draft.instance(host, item.id);
    return { known, record: recordOf(item, known, { at: at.now, by }) };
  });
  const late = news.find(({ record, known }) => isOlder(record.generation, known?.generation));
  if (late?.known?.generation !== undefined) {
    return { kind: "stale", id: late.known.id, generation: late.known.generation };
  }
  const created = news.filter(({ known }) => known === undefined).length;
  if (created > 0 && draft.totals().instances + created > limits.instances) return full("instances", limits.instances);
  for (const { known, record } of news) {
    if (record === known) draft.renew(host, record.id);
    else draft.changeInstance(host, record.id, { kind: "put", record });
  }
  const fresh = { renewedAtMs: at.monotonic, missed: false };
  return done(
    news.map(({ record }) => instanceView(record, fresh, at)),
    created > 0,
  );
}

/** The known record itself when nothing changes. A registration ends a drain; one without a generation keeps the known one. */
function recordOf(
  item: InstanceBody & { readonly id: string },
  known: InstanceRecord | undefined,
  registered: InstanceRecord["registered"],
): InstanceRecord {
  const generation = item.generation ?? known?.generation;
  const record = {
    ...item,
    ...(generation !== undefined && { generation }),
    registered: known?.registered ?? registered,
  };
  return shareUnchanged(known, record);
}

/** Is what a client says of its generation older than what is known? */
export const isOlder = (told: number | undefined, known: number | undefined): boolean =>
  told !== undefined && known !== undefined && told < known;

function portInUse({ ports }: ServiceRecord, instances: readonly InstanceRecord[]): Refusal | undefined {
  const names = new Set(ports.map(({ name }) => name));
  for (const instance of instances) {
    const name = Object.keys(instance.ports).find((port) => !names.has(port));
    if (name === undefined) continue;
    const message = `The instance ${instance.id} says where it listens for the port ${name}, which the service would no longer have.`;
    return { kind: "conflict", message, hint: `Keep the port ${name}, or register the instance without it first.` };
  }
  return undefined;
}

function nameInUse(record: ServiceRecord, instances: readonly InstanceRecord[]): Refusal | undefined {
  const reason = whyIpAddresses(record);
  const named = reason === undefined ? undefined : instances.find(({ address }) => !isIpAddress(address));
  if (named === undefined) return undefined;
  const message = `The instance ${named.id} has the host name ${named.address} for an address, and would need an IP address, because ${reason}.`;
  return { kind: "conflict", message, hint: "Register the instance with an IP address first, or delete it." };
}

const done = <T>(value: T, created: boolean): Done<T> => ({ kind: "done", created, value });
const invalid = (...problems: readonly Problem[]): Refusal => ({ kind: "invalid", problems });
export const noService: Refusal = { kind: "not-found", what: "service" };
export const noInstance: Refusal = { kind: "not-found", what: "instance" };

const full = (what: string, limit: number): Refusal => ({
  kind: "conflict",
  message: `There are ${limit} ${what} already; more are not taken.`,
  hint: `Delete ${what} that are no longer there, or register with a ttl so that they go by themselves.`,
});
