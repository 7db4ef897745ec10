import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPerInstance } from "../../src/compile/listener-claims.ts";
import { fromSetting } from "../../src/compile/origins.ts";
import { compileOutboundListener } from "../../src/compile/outbound-listeners.ts";
import { type OutboundPlan, planCaptured, planDialled } from "../../src/compile/outbound-plan.ts";
import { everyPort, type Reachable } from "../../src/compile/scope.ts";
import { outboundPolicyOf, type SidecarSettings, sidecarSettings } from "../../src/compile/sidecar-settings.ts";
import { listenerName } from "../../src/envoy/names.ts";
import type { FilterChain } from "../../src/gen/envoy/config/listener/v3/listener_components_pb.ts";
import { ListenerSchema } from "../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import type { Instance } from "../../src/model/instance.ts";
import { type IpFamilies, isOfFamilies } from "../../src/model/ip-families.ts";
import { defaultMeshSettings, type MeshSettings } from "../../src/model/mesh-settings.ts";
import { isServerFirst, type Protocol } from "../../src/model/port.ts";
import { type Service, serviceKey } from "../../src/model/service.ts";
import { parseServiceAddress } from "../../src/model/service-address.ts";
import { host, instance, service } from "../support/mesh.ts";

/* Which listeners a sidecar has for the services that it sees, and what each is for. */

const settingsFor = (families: IpFamilies, mesh: Partial<MeshSettings> = {}): SidecarSettings => {
  const all = { ...defaultMeshSettings, ...mesh };
  return sidecarSettings(all, outboundPolicyOf(all, undefined), "redirect", families);
};

interface Seen {
  readonly service: Service;
  readonly instances: readonly Instance[];
}

interface ServiceSpec {
  readonly name: string;
  readonly age?: number;
  readonly ports: readonly (readonly [number, Protocol])[];
  readonly addresses?: readonly string[];
  readonly headless?: boolean;
  readonly instances?: readonly string[];
}

function seen({ name, age = 0, ports, addresses = [], headless = false, instances = [] }: ServiceSpec): Seen {
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

function planOf(all: readonly Seen[], settings: SidecarSettings): OutboundPlan {
  const ports = all.flatMap(({ service: one }) => everyPort(one));
  const instances = new Map(all.map((one) => [one.service, one.instances]));
  const lists = ports.filter(isPerInstance).map(({ service: one }) => instances.get(one) ?? []);
  return planCaptured(ports, settings, ...lists);
}

const namesIn = ({ listeners }: OutboundPlan): readonly string[] =>
  listeners.map(({ binds, port }) => listenerName(binds[0] ?? "", port));

const ipv4 = settingsFor("ipv4");

describe("where a service is listened for", () => {
  const spec = { name: "a", ports: [[9000, "tcp"]] } as const satisfies ServiceSpec;
  test.for<{ what: string; of: ServiceSpec; families?: IpFamilies; want: readonly string[] }>([
    {
      what: "TCP with addresses",
      of: { ...spec, addresses: ["10.96.0.1", "10.96.0.2"] },
      want: ["10.96.0.1_9000", "10.96.0.2_9000"],
    },
    { what: "TCP without", of: spec, want: ["0.0.0.0_9000"] },
    {
      what: "HTTP with an address",
      of: { ...spec, ports: [[80, "http"]], addresses: ["10.96.0.1"] },
      want: ["0.0.0.0_80"],
    },
    {
      what: "a network and an address",
      of: { ...spec, addresses: ["10.1.0.0/16", "10.96.0.1"] },
      want: ["10.96.0.1_9000", "0.0.0.0_9000"],
    },
    { what: "addresses of the other family", of: { ...spec, addresses: ["fd00::1", "fd00:1::/64"] }, want: [] },
    { what: "IPv6", of: { ...spec, addresses: ["fd00::1", "10.96.0.1"] }, families: "ipv6", want: ["fd00::1_9000"] },
    { what: "IPv6 without addresses", of: spec, families: "ipv6", want: ["::_9000"] },
    {
      what: "both families",
      of: { ...spec, addresses: ["fd00::1", "10.96.0.1"] },
      families: "dual",
      want: ["fd00::1_9000", "10.96.0.1_9000"],
    },
    { what: "UDP", of: { ...spec, ports: [[53, "udp"]] }, want: [] },
    {
      what: "headless TCP",
      of: { ...spec, headless: true, instances: ["10.0.0.2", "10.0.0.1", "fd00::5"] },
      want: ["10.0.0.1_9000", "10.0.0.2_9000"],
    },
    {
      what: "headless HTTP",
      of: { ...spec, ports: [[80, "http"]], headless: true, instances: ["10.0.0.2"] },
      want: ["0.0.0.0_80"],
    },
    { what: "headless without instances", of: { ...spec, headless: true }, want: [] },
    { what: "the port that the sidecar is on", of: { ...spec, ports: [[15_001, "tcp"]] }, want: [] },
  ])("$what", ({ of, families = "ipv4", want }) => {
    expect(namesIn(planOf([seen(of)], settingsFor(families)))).toEqual(want);
  });

  test("the listener for all addresses has both families, and is named by IPv4", () => {
    const { listeners } = planOf([seen(spec)], settingsFor("dual"));
    expect(listeners.map(({ binds }) => binds)).toEqual([["0.0.0.0", "::"]]);
  });

  test("a service on the sidecar's own port is told of, but not where it has an address", () => {
    const on = (port: number, addresses: readonly string[] = []) =>
      planOf([seen({ name: "a", ports: [[port, "tcp"]], addresses })], settingsFor("ipv4", { proxyListenPort: 7001 }));
    expect(on(7001).conflicts).toEqual([
      {
        ...{ type: "LDS", name: "0.0.0.0_7001", kind: "conflict" },
        reason: "the sidecar itself is on port 7001: a.example.com (tcp) cannot be listened for",
      },
    ]);
    expect(on(15_006).conflicts).toHaveLength(1);
    expect(on(15_001).conflicts).toEqual([]);
    expect(on(7001, ["10.96.0.1"])).toMatchObject({ conflicts: [], listeners: [{ binds: ["10.96.0.1"] }] });
  });

  test("an application that dials the sidecar has one listener for each port, whatever addresses there are", () => {
    const all = [
      seen({ name: "a", ports: [[9000, "tcp"]], addresses: ["10.96.0.1"] }),
      seen({ name: "b", ports: [[9000, "tls"]], addresses: ["10.1.0.0/16"] }),
      seen({ name: "c", ports: [[9001, "auto"]], headless: true, instances: ["10.0.0.1"] }),
    ];
    const plan = planDialled(
      all.flatMap(({ service: one }) => everyPort(one)),
      ipv4,
    );
    expect(namesIn(plan)).toEqual(["127.0.0.1_9000", "127.0.0.1_9001"]);
    expect(plan.listeners.map(({ captured, passesRest }) => captured || passesRest)).toEqual([false, false]);
    expect(plan.conflicts).toEqual([]);
  });

  test("nor is it listened for on the port of the HTTP proxy, which is on the same address", () => {
    const ports = everyPort(
      seen({
        name: "a",
        ports: [
          [15_002, "http"],
          [9000, "tcp"],
        ],
      }).service,
    );
    const plan = planDialled(ports, settingsFor("ipv4", { proxyHttpPort: 15_002 }));
    expect(namesIn(plan)).toEqual(["127.0.0.1_9000"]);
    expect(plan.conflicts).toMatchObject([
      { name: "127.0.0.1_15002", reason: expect.stringContaining("a.example.com (http)") },
    ]);
    expect(namesIn(planDialled(ports, ipv4))).toEqual(["127.0.0.1_15002", "127.0.0.1_9000"]);
  });
});

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
const mesh = fc.record({
  families: fc.constantFrom<IpFamilies>("ipv4", "ipv6", "dual"),
  all: fc
    .array(anyService, { maxLength: 6 })
    .map((list) =>
      list.map((one, index) => seen({ ...one, name: "cafbed"[index] ?? "", ...(one.headless && { addresses: [] }) })),
    ),
});

const compiled = (plan: OutboundPlan, settings: SidecarSettings) =>
  plan.listeners.map((listener) => {
    const resource = compileOutboundListener(listener, settings, fromSetting("test"));
    return { listener, message: fromBinary(ListenerSchema, resource.bytes), resource };
  });

/** Each way in which a chain can be chosen. */
function waysTo({ filterChainMatch: match }: FilterChain): readonly string[] {
  if (match === undefined) return ["any"];
  const { prefixRanges, serverNames, $typeName: _, ...rest } = match;
  const networks = prefixRanges.map(({ addressPrefix, prefixLen }) => `${addressPrefix}/${prefixLen}`);
  return (networks.length === 0 ? ["any"] : networks).flatMap((network) =>
    (serverNames.length === 0 ? ["any"] : serverNames).map((name) => JSON.stringify([network, name, rest])),
  );
}

describe("whatever services there are", () => {
  test("their order does not matter", () => {
    const shuffled = mesh.chain(({ families, all }) =>
      fc.record({
        ...{ families: fc.constant(families), all: fc.constant(all) },
        others: fc.shuffledSubarray([...all], { minLength: all.length }),
      }),
    );
    const inOrder = ({ listeners, conflicts }: OutboundPlan) => ({
      listeners: listeners.toSorted((a, b) =>
        JSON.stringify([a.binds, a.port]) < JSON.stringify([b.binds, b.port]) ? -1 : 1,
      ),
      losers: conflicts.map(({ name }) => name).sort(),
    });
    fc.assert(
      fc.property(shuffled, ({ families, all, others }) => {
        const settings = settingsFor(families);
        expect(inOrder(planOf(others, settings))).toEqual(inOrder(planOf(all, settings)));
      }),
    );
  });

  test("no two listeners have one name, and none is where the sidecar itself is", () => {
    fc.assert(
      fc.property(mesh, ({ families, all }) => {
        const names = namesIn(planOf(all, settingsFor(families)));
        expect(names).toEqual([...new Set(names)]);
        expect(names).not.toContain("0.0.0.0_15001");
        expect(names).not.toContain("::_15001");
      }),
    );
  });

  test("no two chains of a listener can be chosen by the same connections", () => {
    fc.assert(
      fc.property(mesh, ({ families, all }) => {
        const settings = settingsFor(families);
        for (const { message } of compiled(planOf(all, settings), settings)) {
          const ways = message.filterChains.flatMap(waysTo);
          expect(ways).toEqual([...new Set(ways)]);
          expect(ways.length + (message.defaultFilterChain === undefined ? 0 : 1)).toBeGreaterThan(0);
          if (message.defaultFilterChain !== undefined) expect(ways).not.toContain("any");
        }
      }),
    );
  });

  test("first bytes are looked at only where a chain depends on them, and never for HTTP where servers speak first", () => {
    fc.assert(
      fc.property(mesh, ({ families, all }) => {
        const settings = settingsFor(families);
        for (const { message, listener } of compiled(planOf(all, settings), settings)) {
          const looks = message.listenerFilters.map(({ name }) => name.replace(/^.*\./, ""));
          const matches = message.filterChains.flatMap(({ filterChainMatch }) => filterChainMatch ?? []);
          expect(looks.includes("http_inspector")).toBe(matches.some((one) => one.applicationProtocols.length > 0));
          expect(looks.includes("tls_inspector")).toBe(matches.some((one) => one.serverNames.length > 0));
          if (isServerFirst(listener.port)) expect(looks).not.toContain("http_inspector");
        }
      }),
    );
  });

  test("each port of a service can be reached, or its loss is told", () => {
    fc.assert(
      fc.property(mesh, ({ families, all }) => {
        const settings = settingsFor(families);
        const plan = planOf(all, settings);
        const reached = new Set(
          compiled(plan, settings).flatMap(({ resource, listener: { http, port } }) => [
            ...resource.references.map(({ name }) => name),
            ...(http?.kind === "shared" ? [`shared ${port}`] : []),
          ]),
        );
        const lost = plan.conflicts.map(({ reason }) => reason).join();
        for (const { service: one, instances } of all) {
          for (const reachable of everyPort(one)) {
            const { port } = reachable;
            const isReached =
              reached.has(`outbound|${port.number}||${one.hostname}`) ||
              (["http", "http2", "grpc", "grpc-web"].includes(port.protocol) && reached.has(`shared ${port.number}`));
            const isTold = lost.includes(`${one.hostname} (${port.protocol})`);
            expect(isReached || isTold).toBe(hasPlace(reachable, instances, families));
          }
        }
      }),
    );
  });
});

/** Is there an address that this sidecar's application could dial? */
function hasPlace(one: Reachable, instances: readonly Instance[], families: IpFamilies): boolean {
  if (["http", "http2", "grpc", "grpc-web"].includes(one.port.protocol)) return true;
  if (isPerInstance(one)) return instances.some((each) => isOfFamilies(families, each.address));
  const { addresses } = one.service;
  return addresses.length === 0 || addresses.some((each) => isOfFamilies(families, each));
}
