import type { Ledger, ResourceDelivery, TypeRequest } from "../delivery/ledger.ts";
import type { DeliveryStatus } from "../delivery/resource-state.ts";
import type { Resource } from "../envoy/resource-set.ts";
import type { TypeName } from "../envoy/resource-types.ts";
import type { ResourceCache } from "../snapshot/resource-cache.ts";
import type { ResourceStatus } from "../xds/services/client-config.ts";
import type { ClientStatuses } from "../xds/services/csds.ts";

type Served = (type: TypeName, name: string) => Resource | undefined;

/** The ledger in Envoy's words, with bodies from the resource cache, which has what is served at this moment. */
export function createClientStatuses(
  ledger: Pick<Ledger, "connected" | "resourcesOf" | "requestsOf">,
  { servedTo }: Pick<ResourceCache, "servedTo">,
): ClientStatuses {
  return {
    clients: () => ledger.connected().map(({ node }) => node),
    resourcesOf: (node, bodies) => {
      const served = servedTo(node)?.resources.resources;
      const bodyOf: Served = (type, name) => (bodies ? served?.[type].get(name) : undefined);
      const held = ledger.resourcesOf(node.id) ?? [];
      const requests = ledger.requestsOf(node.id);
      const seen = new Set([...held, ...requests.flatMap(namesOf)].map(({ type, name }) => `${type} ${name}`));
      const waiting = requests
        .filter(({ wildcard }) => wildcard)
        .flatMap(({ type }) => [...(served?.[type].values() ?? [])])
        .filter(({ type, name, onDemand }) => onDemand !== true && !seen.has(`${type} ${name}`));
      return [
        ...held.map((one) => knownStatus(one, bodyOf)),
        ...requests.flatMap(absentStatuses),
        ...waiting.map(({ type, name }) => ({ type, name, config: "NOT_SENT", client: "REQUESTED" }) as const),
      ];
    },
  };
}

const configOf: Readonly<Record<DeliveryStatus, ResourceStatus["config"]>> = {
  accepted: "SYNCED",
  pending: "STALE",
  refused: "ERROR",
};

/** What the proxy was sent, or held already. Of several versions, the one last sent is shown. */
function knownStatus(resource: ResourceDelivery, bodyOf: Served): ResourceStatus {
  const { type, name, status, sent, accepted, refused } = resource;
  const { version = "", atMs = 0 } = sent ?? accepted ?? {};
  const answeredAtMs = accepted?.version === version ? accepted.atMs : 0;
  const body = bodyOf(type, name);
  return {
    ...{ type, name, version },
    updatedAtMs: Math.max(atMs, answeredAtMs),
    config: configOf[status],
    client: refused !== undefined ? "NACKED" : accepted !== undefined ? "ACKED" : "REQUESTED",
    ...(refused && {
      error: {
        version: refused.version,
        atMs: refused.atMs,
        reason: refused.suspect ? refused.reason : `refused together with others: ${refused.reason}`,
      },
    }),
    ...(body?.version === version && { bytes: body.bytes }),
  };
}

const namesOf = ({ type, absent }: TypeRequest) => absent.map(({ name }) => ({ type, name }));

/** What the proxy asks for by name, and is not there. */
const absentStatuses = ({ type, absent }: TypeRequest): readonly ResourceStatus[] =>
  absent.map(({ name, told }) => ({
    ...{ type, name, config: "NOT_SENT" as const },
    client: told === undefined ? "REQUESTED" : told.error ? "RECEIVED_ERROR" : "DOES_NOT_EXIST",
    ...(told && { updatedAtMs: told.atMs }),
  }));
