import type { World } from "../../src/compile/world.ts";
import type { EgressListener, IngressListener, SidecarSpec } from "../../src/config/kinds/sidecar.ts";
import type { HttpRoute } from "../../src/config/kinds/virtual-service.ts";
import type { Rule } from "../../src/config/rule.ts";
import { addressesOf } from "../../src/model/instance.ts";
import type { MeshSettings } from "../../src/model/mesh-settings.ts";
import type { InterceptionMode, ProxyNode } from "../../src/model/proxy.ts";
import { rule, sidecar, world } from "../support/mesh.ts";
import type { Random } from "../support/random.ts";
import {
  names,
  namespaces,
  portNumbers,
  randomAddresses,
  randomAge,
  randomEntry,
  randomServices,
  some,
  targetPorts,
} from "./random-services.ts";

/* Small meshes of services that get into each other's way, with rules about them; and one of their sidecars. */

export interface RandomMesh {
  readonly world: World;
  readonly node: ProxyNode;
}

/** What may be dialled: virtual IPs, those of networks among them, and instances. */
export interface Dialled {
  readonly virtual: ReadonlySet<string>;
  readonly all: readonly string[];
}

export function addressesIn({ catalog, rules }: World): Dialled {
  const services = [...catalog.services.values()];
  const entries = [...rules.values()].flatMap((one) => (one.kind === "ServiceEntry" ? [one.spec] : []));
  const virtual = [...services, ...entries].flatMap(({ addresses }) => addresses.map(withoutLength));
  const instances = [...catalog.instances.values()].flat().flatMap(addressesOf);
  const endpoints = entries.flatMap((entry) => entry.endpoints.map(({ address }) => address));
  const all = new Set([...virtual, ...instances, ...endpoints]);
  return { virtual: new Set(virtual), all: [...all] };
}

/** The first address of a network. */
const withoutLength = (address: string): string => address.replace(/\/.*$/, "");

/** A line for each thing that it is made of. */
export const meshText = ({ world: { catalog, rules, mesh }, node }: RandomMesh): readonly string[] => [
  `${node.interceptionMode} ${node.addresses.join(" ")}, ${JSON.stringify(mesh)}`,
  ...[...catalog.services].map(([key, { ports, addresses, resolution, createdAt, aliasOf, visibleIn }]) => {
    const instances = (catalog.instances.get(key) ?? []).map((one) => [addressesOf(one), one.ports, one.lacks]);
    return `${key} ${createdAt} ${JSON.stringify({ ports, addresses, resolution, instances, aliasOf, visibleIn })}`;
  }),
  ...[...rules].map(([key, { createdAt, spec }]) => `${key} ${createdAt} ${JSON.stringify(spec)}`),
];

type Policy = MeshSettings["outboundTrafficPolicy"];

export function randomMesh(random: Random): RandomMesh {
  const addresses = randomAddresses(random, "10.0.0.9", "fd00:10::9");
  const interceptionMode = random.weighted<InterceptionMode>([
    [7, "redirect"],
    [2, "tproxy"],
    [1, "none"],
  ]);
  const services = randomServices(random, addresses);
  const rules = [
    ...some(random, 8, (index) => randomEntry(random, index)),
    ...some(random, 4, (index) => randomVirtualService(random, index)),
    ...(random.chance(0.3) ? [randomSidecar(random)] : []),
  ];
  const mesh = {
    outboundTrafficPolicy: random.weighted<Policy>([
      [3, "ALLOW_ANY"],
      [2, "REGISTRY_ONLY"],
    ]),
    proxyHttpPort: random.chance(0.35) ? 15_080 : 0,
  };
  return { node: sidecar("web-1", { addresses, interceptionMode }), world: world({ services, rules, mesh }) };
}

const shortNames = [...names, "web.tools", "db.far"] as const;
const fullNames = names.flatMap((name) => namespaces.map((namespace) => `${name}.${namespace}.svc.cluster.local`));
const otherHosts = ["a.ext.com", "b.ext.com", "*.ext.com", "unknown.com", "*.shop.svc.cluster.local"] as const;

function randomVirtualService(random: Random, index: number): Rule<"VirtualService"> {
  const http = [randomHttpRoute(random), ...some(random, 3, () => randomHttpRoute(random))];
  const hosts = [random.pick(random.pick([shortNames, fullNames, otherHosts]))];
  const where = { namespace: random.pick(namespaces), createdAt: randomAge(random) };
  return rule("VirtualService", `v${index}`, { hosts, gateways: ["mesh"], http }, where);
}

function randomHttpRoute(random: Random): HttpRoute {
  const destination = () => ({
    host: random.pick(random.pick([shortNames, fullNames])),
    ...(random.chance(0.4) && { port: random.pick(portNumbers) }),
    ...(random.chance(0.2) && { subset: "v1" }),
    weight: 1,
  });
  const uri = { kind: random.pick(["exact", "prefix"] as const), value: random.pick(["/a", "/a/b"]) };
  const match: HttpRoute["match"][number] = {
    ...(random.chance(0.7) && { uri }),
    headers: random.chance(0.5) ? { "x-a": { kind: "exact", value: "1" } } : {},
  };
  return {
    match: random.chance(0.6) ? [match] : [],
    route: random.chance(0.8) ? [destination()] : [destination(), destination()],
  };
}

function randomSidecar(random: Random): Rule<"Sidecar"> {
  const numbers = new Set(some(random, 3, () => random.pick(portNumbers)));
  const egress = [...numbers].map((number) => randomEgress(random, number));
  const rest: EgressListener = { captureMode: "DEFAULT", hosts: randomImports(random) };
  const spec: SidecarSpec = {
    ingress: random.chance(0.3) ? [randomIngress(random)] : [],
    egress: random.chance(0.7) || egress.length === 0 ? [...egress, rest] : egress,
    ...(random.chance(0.4) && { outboundTrafficPolicy: random.pick(["ALLOW_ANY", "REGISTRY_ONLY"] as const) }),
  };
  return rule("Sidecar", "default", spec);
}

const randomImports = (random: Random): readonly string[] => [
  random.pick(["*/*", "*/*", "./*", "tools/*", "*/*.ext.com", "~/*"]),
  random.pick(["shop/*", "*/*.com"]),
];

function randomEgress(random: Random, number: number): EgressListener {
  const isCaptured = random.chance(0.6);
  return {
    port: { number, protocol: random.pick(["http", "http2"]), name: `e${number}` },
    captureMode: isCaptured ? "DEFAULT" : "NONE",
    ...(random.chance(0.2) && { bind: isCaptured ? "10.96.0.1" : "127.0.0.2" }),
    hosts: randomImports(random),
  };
}

const randomIngress = (random: Random): IngressListener => ({
  port: { number: random.pick(targetPorts), protocol: random.pick(["http", "http2"]), name: "in" },
  captureMode: "DEFAULT",
  ...(random.chance(0.5) && { defaultEndpoint: { address: "127.0.0.1", port: 8080 } }),
});
