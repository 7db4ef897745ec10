import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { isPerInstance } from "../../src/compile/listener-claims.ts";
import { fromSetting } from "../../src/compile/origins.ts";
import { compileOutboundListener } from "../../src/compile/outbound-listeners.ts";
import { type OutboundPlan, planCaptured } from "../../src/compile/outbound-plan.ts";
import { everyPort } from "../../src/compile/scope.ts";
import { outboundPolicyOf, type SidecarSettings, sidecarSettings } from "../../src/compile/sidecar-settings.ts";
import { listenerName } from "../../src/envoy/names.ts";
import { ListenerSchema } from "../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import type { Instance } from "../../src/model/instance.ts";
import type { IpFamilies } from "../../src/model/ip-families.ts";
import { defaultMeshSettings, type MeshSettings } from "../../src/model/mesh-settings.ts";
import type { Protocol } from "../../src/model/port.ts";
import { type Service, serviceKey } from "../../src/model/service.ts";
import { parseServiceAddress } from "../../src/model/service-address.ts";
import { host, instance, service } from "./mesh.ts";

/** Services that a sidecar sees, for tests of what it listens for. */

export const settingsFor = (families: IpFamilies, mesh: Partial<MeshSettings> = {}): SidecarSettings => {
  const all = { ...defaultMeshSettings, ...mesh };
  return sidecarSettings(all, outboundPolicyOf(all, undefined), "redirect", families);
};

export interface Seen {
  readonly service: Service;
  readonly instances: readonly Instance[];
}

export interface ServiceSpec {
  readonly name: string;
  readonly age?: number;
  readonly ports: readonly (readonly [number, Protocol])[];
  readonly addresses?: readonly string[];
  readonly headless?: boolean;
  readonly instances?: readonly string[];
}

export function seen({ name, age = 0, ports, addresses = [], headless = false, instances = [] }: ServiceSpec): Seen {
  const hostname = host(`${name}.example.com`);
  return {
    service: {
      ...service(name).service,
      ...{ key: serviceKey("shop", hostname), hostname, createdAt: age },
      addresses: addresses.flatMap((text) => parseServiceAddress(text) ?? []),
      ports: ports.map(([number, protocol]) => ({ name: `p${number}`, number, protocol })),
      resolution: headless ? "original-destination" : "instances",
    },
    instances: instances.map((address, index) => instance(`${name}-${index}`, { address })),
  };
}

export function planOf(all: readonly Seen[], settings: SidecarSettings): OutboundPlan {
  const ports = all.flatMap(({ service: one }) => everyPort(one));
  const instances = new Map(all.map((one) => [one.service, one.instances]));
  const lists = ports.filter(isPerInstance).map(({ service: one }) => instances.get(one) ?? []);
  return planCaptured(ports, settings, ...lists);
}

export const namesIn = ({ listeners }: OutboundPlan): readonly string[] =>
  listeners.map(({ binds, port }) => listenerName(binds[0] ?? "", port));

const protocols: readonly Protocol[] = ["http", "http2", "grpc", "grpc-web", "https", "tls", "tcp", "udp", "auto"];
const address = fc.constantFrom(
  ...[
    "10.96.0.1",
    "10.96.0.2",
    "fd00::1",
    "10.1.0.0/16",
    "10.1.5.5/16",
    "10.1.2.0/24",
    "fd00:1::/64",
    "0.0.0.0/0",
    "::/0",
  ],
);
const anyService = fc.record({
  age: fc.integer({ min: 0, max: 2 }),
  ports: fc.uniqueArray(fc.tuple(fc.constantFrom(80, 3306, 9000, 15_001), fc.constantFrom(...protocols)), {
    ...{ minLength: 1, maxLength: 3 },
    selector: ([number]) => number,
  }),
  addresses: fc.uniqueArray(address, { maxLength: 3, selector: (text) => parseServiceAddress(text) }),
  headless: fc.boolean(),
  instances: fc.uniqueArray(fc.constantFrom("10.96.0.1", "10.0.0.1", "10.0.0.2", "fd00::1"), { maxLength: 3 }),
});
/** Services of all kinds, few ports and addresses, so that they meet. */
export const anyMesh = fc.record({
  families: fc.constantFrom<IpFamilies>("ipv4", "ipv6", "dual"),
  all: fc
    .array(anyService, { maxLength: 6 })
    .map((list) =>
      list.map((one, index) => seen({ ...one, name: "cafbed"[index] ?? "", ...(one.headless && { addresses: [] }) })),
    ),
});

/** Each listener of a plan, and what is made of it. */
export const compiled = (plan: OutboundPlan, settings: SidecarSettings) =>
  plan.listeners.map((listener) => {
    const resource = compileOutboundListener(listener, settings, fromSetting("test"));
    return { listener, message: fromBinary(ListenerSchema, resource.bytes), resource };
  });
