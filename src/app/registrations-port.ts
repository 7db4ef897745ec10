import type { RegistrationOutcome, RegistrationsPort } from "../api/ports.ts";
import type { RegisteredInstanceView, RegisteredServiceView } from "../api/types/services.ts";
import { timeText } from "../base/time-text.ts";
import { formatLocality } from "../model/locality.ts";
import type {
  InstanceRegistration,
  Registrations,
  Result,
  ServiceRegistration,
} from "../registry/rest/registrations.ts";

/** What registers itself, as the API speaks of it. */
export function createRegistrationsPort(registrations: Registrations): RegistrationsPort {
  const { formats } = registrations;
  return {
    formats,
    services: () => registrations.services().map(serviceView),
    service: (host) => {
      const found = registrations.service(host);
      return found && serviceView(found);
    },
    instances: (host) => registrations.instances(host)?.map(instanceView),
    putService: async (...input) => outcome(await registrations.putService(...input), serviceView),
    deleteService: async (host, options, by) =>
      outcome(await registrations.deleteService(host, by, options), (last) => last && serviceView(last)),
    putInstance: async (...input) => outcome(await registrations.putInstance(...input), instanceView),
    putInstances: async (...input) =>
      outcome(await registrations.putInstances(...input), (instances) => instances.map(instanceView)),
    isRegistered: (...input) => registrations.instance(...input) !== undefined,
    heartbeat: (...input) => outcome(registrations.heartbeat(...input), instanceView),
    heartbeats: (...input) => registrations.heartbeats(...input),
    drain: async (...input) => outcome(await registrations.drain(...input), instanceView),
    deleteInstance: async (...input) =>
      outcome(await registrations.deleteInstance(...input), (last) => last && instanceView(last)),
  };
}

const outcome = <T, V>(result: Result<T>, view: (value: T) => V): RegistrationOutcome<V> =>
  result.kind === "done" ? { ...result, value: view(result.value) } : result;

const serviceView = ({ instances: _, registered, ...service }: ServiceRegistration): RegisteredServiceView => ({
  ...service,
  registeredAt: timeText(registered.at),
  registeredBy: registered.by,
});

function instanceView(instance: InstanceRegistration): RegisteredInstanceView {
  const { registered, lease, draining, locality, generation, ...rest } = instance;
  return {
    ...rest,
    locality: formatLocality(locality),
    registeredAt: timeText(registered.at),
    registeredBy: registered.by,
    generation: generation ?? 0,
    ...(lease && { lease: { ttlMs: lease.ttlMs, expiresAt: timeText(lease.expiresAt), state: lease.state } }),
    ...(draining && { draining: { since: timeText(draining.since), until: timeText(draining.until) } }),
  };
}
