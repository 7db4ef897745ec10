import type { ServiceEntrySpec } from "../../src/config/kinds/service-entry.ts";
import type { Rule } from "../../src/config/rule.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { Instance } from "../../src/model/instance.ts";
import { isHttp, type Protocol, type ServicePort } from "../../src/model/port.ts";
import { host, instance, rule, service } from "../support/mesh.ts";
import type { Random } from "../support/random.ts";

/*
 * Services that get into each other's way: of few names in a few namespaces, on few ports and addresses, of all protocols and ages.
 */

export const namespaces = ["shop", "tools", "far"] as const;
export const names = ["web", "cart", "db", "api"] as const;
export const portNumbers = [80, 443, 3306, 7000, 8080] as const;
export const targetPorts = [80, 3306, 8080, 9000, 9443] as const;

const protocols: readonly (readonly [weight: number, protocol: Protocol])[] = [
  ...([
    [5, "http"],
    [1, "http2"],
    [1, "grpc"],
    [0.5, "grpc-web"],
    [4, "tcp"],
  ] as const),
  ...([
    [2, "tls"],
    [2, "https"],
    [5, "auto"],
    [0.3, "udp"],
  ] as const),
];

export const randomAge = (random: Random): number => random.int(4) * 1_000;

export const some = <T>(random: Random, below: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: random.int(below) }, (_, index) => make(index));

/** An address of each family that something has. */
export const randomAddresses = (random: Random, ipv4: string, ipv6: string): readonly string[] =>
  random.weighted([
    [3, [ipv4]],
    [1, [ipv6]],
    [2, [ipv4, ipv6]],
  ]);

/** Different numbers, each with a protocol of its own. */
function randomPorts(random: Random, isWanted: (protocol: Protocol) => boolean = () => true): readonly ServicePort[] {
  const numbers = new Set([random.pick(portNumbers), ...some(random, 3, () => random.pick(portNumbers))]);
  const wanted = protocols.filter(([, protocol]) => isWanted(protocol));
  return [...numbers].flatMap((number): readonly ServicePort[] => {
    const port = { name: `p${number}`, number, protocol: random.weighted(wanted) };
    // As DNS has it.
    return isWanted("udp") && random.chance(0.05) ? [{ name: `u${number}`, number, protocol: "udp" }, port] : [port];
  });
}

export const randomServices = (random: Random, own: readonly string[]): readonly CatalogEntry[] =>
  namespaces.flatMap((namespace, i) =>
    names.flatMap((name, j) =>
      random.chance(0.5) ? [randomService(random, { name, namespace, own, place: 1 + names.length * i + j })] : [],
    ),
  );

interface Named {
  readonly name: string;
  readonly namespace: string;
  /** Its number among all. */
  readonly place: number;
  /** Addresses of the proxy. */
  readonly own: readonly string[];
}

/** With addresses, without any, or headless; now and then an alias, or not for everybody. */
function randomService(random: Random, { name, namespace, place, own }: Named): CatalogEntry {
  const kind = random.weighted([
    [6, "addressed" as const],
    [1, "named"],
    [3, "headless"],
  ]);
  const ports = randomPorts(random);
  // Now and then two of them share one.
  const last = random.chance(0.1) ? 1 : place;
  const addresses = randomAddresses(random, `10.96.0.${last}`, `fd00:96::${last}`);
  const instances = some(random, 4, (index) => randomInstance(random, { index, ports, own }));
  const made = service(name, instances, { namespace, createdAt: randomAge(random) });
  const visible = random.chance(0.15) && { visibleIn: namespaces.filter(() => random.chance(0.5)) };
  if (random.chance(0.15)) {
    const aliasOf = host(`${random.pick(names)}.${random.pick(namespaces)}.svc.cluster.local`);
    return { instances: [], service: { ...made.service, ...visible, ports: [], aliasOf } };
  }
  return {
    instances,
    service: {
      ...made.service,
      ...visible,
      ports,
      addresses: kind === "addressed" ? addresses : [],
      resolution: kind === "headless" ? "original-destination" : "instances",
    },
  };
}

interface Placed {
  readonly index: number;
  readonly ports: readonly ServicePort[];
  readonly own: readonly string[];
}

const randomInstanceAddress = (random: Random): string =>
  `${random.pick(["10.0.0.", "10.0.0.", "fd00:10::"])}${1 + random.int(8)}`;

function randomInstance(random: Random, { index, ports, own }: Placed): Instance {
  const moved = ports.filter(() => random.chance(0.4));
  const isOwn = random.chance(0.45);
  const [address = "", ...others] =
    isOwn && random.chance(0.5) ? own : [isOwn ? random.pick(own) : randomInstanceAddress(random)];
  const lacks = ports.filter(() => random.chance(0.05)).map(({ name }) => name);
  return instance(`i${index}`, {
    address,
    ...(others.length > 0 && { otherAddresses: others }),
    ports: Object.fromEntries(moved.map(({ name }) => [name, random.pick(targetPorts)])),
    ...(lacks.length > 0 && { lacks }),
  });
}

/* ServiceEntries */

const entryHosts = ["a.ext.com", "b.ext.com", "c.b.ext.com", "ext.org", "web.shop.svc.cluster.local"] as const;
const wildcards = ["*.ext.com", "*.b.ext.com", "*.com"] as const;
const entryAddresses = ["10.97.0.1", "10.97.0.2", "fd00:97::1", "10.96.0.1"] as const;
const networks = ["10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "fd00:1::/64", "fd00:1::/127", "8.0.0.0/6"] as const;

const hasNames = (protocol: Protocol): boolean => isHttp(protocol) || protocol === "tls" || protocol === "https";

export function randomEntry(random: Random, index: number): Rule<"ServiceEntry"> {
  const resolution = random.weighted<ServiceEntrySpec["resolution"]>([
    ...([
      [3, "NONE"],
      [2, "STATIC"],
      [2, "DNS"],
      [1, "DNS_ROUND_ROBIN"],
    ] as const),
  ]);
  const isFound = resolution === "NONE" || resolution === "STATIC";
  const one = random.pick(isFound && random.chance(0.5) ? wildcards : entryHosts);
  // Several are told apart by what a client says of them.
  const hosts = new Set([one, ...(random.chance(0.2) ? [random.pick(entryHosts)] : [])]);
  const addresses = random.weighted<readonly string[]>([
    [4, []],
    [3, [random.pick(entryAddresses)]],
    [isFound ? 5 : 0, [random.pick(networks)]],
    [isFound ? 2 : 0, [random.pick(networks), random.pick(entryAddresses)]],
  ]);
  const spec: ServiceEntrySpec = {
    hosts: [...hosts],
    addresses,
    ports: randomPorts(random, hosts.size > 1 || random.chance(0.4) ? hasNames : undefined),
    location: random.pick(["MESH_EXTERNAL", "MESH_INTERNAL"]),
    resolution,
    endpoints: resolution === "STATIC" ? some(random, 3, () => randomEndpoint(random)) : [],
  };
  return rule("ServiceEntry", `e${index}`, spec, { namespace: random.pick(namespaces), createdAt: randomAge(random) });
}

const randomEndpoint = (random: Random): ServiceEntrySpec["endpoints"][number] => ({
  ...{ address: randomInstanceAddress(random), ports: {}, labels: {}, locality: "", weight: 1 },
});
