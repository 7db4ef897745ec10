import { memoize } from "../base/memo.ts";
import type { ServiceEntryEndpoint, ServiceEntrySpec } from "../config/kinds/service-entry.ts";
import type { Rule } from "../config/rule.ts";
import type { CatalogEntry } from "../model/catalog.ts";
import { type Hostname, parseHostname } from "../model/hostname.ts";
import type { Instance } from "../model/instance.ts";
import { parseLocality } from "../model/locality.ts";
import { type Resolution, serviceKey } from "../model/service.ts";

const resolutions: Readonly<Record<ServiceEntrySpec["resolution"], Resolution>> = {
  NONE: "original-destination",
  STATIC: "instances",
  DNS: "dns",
  DNS_ROUND_ROBIN: "dns-round-robin",
};

/** The services that a ServiceEntry adds to the catalog: one for each of its hosts. */
export const servicesOfEntry = memoize((rule: Rule<"ServiceEntry">): readonly CatalogEntry[] => {
  const { spec, namespace } = rule;
  const hosts = spec.hosts.map(parseHostname).filter((host) => host !== undefined);
  return hosts.map((hostname) => ({
    service: {
      key: serviceKey(namespace, hostname),
      hostname,
      namespace,
      addresses: spec.addresses,
      ports: spec.ports.map(({ name, number, protocol }) => ({ name, number, protocol })),
      resolution: resolutions[spec.resolution],
      external: spec.location === "MESH_EXTERNAL",
      createdAt: rule.createdAt,
      origin: { kind: "rule", rule: rule.key },
    },
    instances: instancesOf(rule, hostname),
  }));
});

/** Its endpoints; a name that is resolved by DNS and has none stands for itself. */
function instancesOf(rule: Rule<"ServiceEntry">, hostname: Hostname): readonly Instance[] {
  const itself: ServiceEntryEndpoint = { address: hostname, ports: {}, labels: {}, locality: "", weight: 1 };
  const { endpoints, ports, resolution } = rule.spec;
  const targetPorts = ports.flatMap(({ name, targetPort }) =>
    targetPort === undefined ? [] : [[name, targetPort] as const],
  );
  const standsForItself = resolution.startsWith("DNS") && endpoints.length === 0;
  return (standsForItself ? [itself] : endpoints).map((endpoint, index) => ({
    id: `${rule.key}/${index}`,
    address: endpoint.address,
    ports: { ...Object.fromEntries(targetPorts), ...endpoint.ports },
    labels: endpoint.labels,
    locality: parseLocality(endpoint.locality),
    weight: endpoint.weight,
    health: "healthy",
    registry: rule.key,
  }));
}
