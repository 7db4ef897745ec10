import { fail, integer, text } from "../../base/decode.ts";
import type { ServicePort } from "../../model/port.ts";
import { protocolOf } from "../port-protocol.ts";
import type { Place } from "./place.ts";

const portNumber = integer({ min: 1, max: 65_535 });
/** 0: none was given out yet. */
const nodePort = integer({ min: 0, max: 65_535 });
const name = text({ minLength: 0, maxLength: 63 });
const word = text({ minLength: 0, maxLength: 253 });

/** More than a slice can name. */
const maxPorts = 1_000;

export interface ServicePorts {
  readonly ports: readonly ServicePort[];
  /** By port name. */
  readonly nodePorts: Readonly<Record<string, number>>;
}

/** `spec.ports`. The only port of a service may have no name: it is the empty one then, in its slices too. */
export function readServicePorts(place: Place): ServicePorts {
  const read = place.items(maxPorts).flatMap((item) => {
    const place = item.at("port");
    if (place.isAbsent) fail(place, "missing-field", "The number of the port is missing.");
    const number = place.read(portNumber);
    if (number === undefined) return [];
    const declared = { name: item.at("name").read(name) ?? "", number };
    const transport = item.at("protocol").read(word);
    const appProtocol = item.at("appProtocol").read(word);
    const protocol = protocolOf({
      ...declared,
      ...(transport !== undefined && { transport }),
      ...(appProtocol !== undefined && { appProtocol }),
    });
    return [{ port: { ...declared, protocol }, nodePort: item.at("nodePort").read(nodePort) ?? 0 }];
  });
  return {
    ports: read.map(({ port }) => port),
    nodePorts: Object.fromEntries(
      read.filter((one) => one.nodePort > 0).map((one) => [one.port.name, one.nodePort] as const),
    ),
  };
}
