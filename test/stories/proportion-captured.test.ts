import { describe, expect, test } from "vitest";
import type { World } from "../../src/compile/world.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { Instance } from "../../src/model/instance.ts";
import type { Protocol } from "../../src/model/port.ts";
import type { Service } from "../../src/model/service.ts";
import { instance, service, sidecar, world } from "../support/mesh.ts";
import {
  cluster,
  heavier,
  startCounting,
  withCopies,
  withInstances,
  withoutService,
  withService,
} from "./proportion-lab.ts";

/*
 * What a change costs among sidecars whose connections are captured: workloads of four namespaces, each of which implements a service of
 * its own. What is looked at once for all workloads of a namespace is counted by namespaces, what is sent by workloads.
 */

const namespaces = 4;
const perNamespace = 5;
const workloads = namespaces * perNamespace;
const addressOf = (index: number) => `10.200.0.${index}`;

const owned = Array.from({ length: workloads }, (_, index) =>
  service(`own-${index % perNamespace}`, [instance("a", { address: addressOf(index) })], {
    namespace: `team-${Math.floor(index / perNamespace)}`,
    port: 8080,
  }),
);
const captured = owned.map(({ service: { namespace } }, index) =>
  sidecar(`web-${index}`, {
    ...{ namespace, dnsDomain: `${namespace}.svc.cluster.local` },
    ...{ interceptionMode: "redirect", addresses: [addressOf(index)] },
  }),
);

function shaped(name: string, protocol: Protocol, index: number, more: Partial<Service> = {}): CatalogEntry {
  const [high, low] = [index >> 8, index & 255];
  const { service: made, instances } = service(name, [
    instance("a", { address: `10.${high}.${low}.1` }),
    instance("b", { address: `10.${high}.${low}.2` }),
  ]);
  const ports = [{ name: "p", number: 9080, protocol }];
  return { service: { ...made, ports, addresses: [`10.100.${high}.${low}`], ...more }, instances };
}

const protocols: readonly Protocol[] = ["http", "tcp", "auto", "tls"];

const capturedMesh = (size: number): World =>
  world({
    services: [
      ...Array.from({ length: size }, (_, index) => shaped(`s${index}`, protocols[index % 4] ?? "http", index)),
      ...owned,
    ],
  });

const typesIn = (made: readonly string[]): number => new Set(made.map((one) => one.split(" ")[0])).size;

describe.each([100, 2_000])("%d services, and sidecars whose connections are captured", (size) => {
  const { effectOf } = startCounting(capturedMesh(size), captured);
  /** Its address is nobody else's. */
  const last = 65_535;
  const both = (name: string) => [`CDS ${cluster(name)}`, `EDS ${cluster(name)}`];

  test("an endpoint of one: its endpoints, looked at once for each namespace", () => {
    expect(effectOf(withInstances("s1", heavier))).toEqual({
      ...{ frames: 0, services: namespaces, made: [`EDS ${cluster("s1")}`] },
      ...{ encoded: 1, told: workloads, sent: workloads },
    });
  });

  // Removals wait for their grace time: each has a name of its own.
  test.each<[string, CatalogEntry, readonly string[]]>([
    ["TCP: its listener", shaped("sql", "tcp", last), [...both("sql"), "LDS 10.100.255.255_9080"]],
    [
      "TCP without an address: the listener of its port",
      shaped("any-sql", "tcp", last, { addresses: [] }),
      [...both("any-sql"), "LDS 0.0.0.0_9080"],
    ],
    ["HTTP: the table of its port, which all see alike", shaped("web", "http", last), [...both("web"), "RDS 9080"]],
    [
      "not declared: its listener, its table, and that of its port for calls by host name",
      shaped("any", "auto", last - 1),
      [...both("any"), "LDS 10.100.255.254_9080", "RDS 9080", "RDS any.shop.svc.cluster.local:9080"],
    ],
    [
      "headless: listeners for its instances",
      shaped("peers", "tcp", last, { addresses: [], resolution: "original-destination" }),
      [`CDS ${cluster("peers")}`, "LDS 10.255.255.1_9080", "LDS 10.255.255.2_9080"],
    ],
  ])("a service that comes and goes, %s", (_, entry, made) => {
    expect(effectOf(withService(entry))).toEqual({
      ...{ frames: namespaces, services: namespaces, made, encoded: typesIn(made) },
      ...{ told: workloads, sent: made.length * workloads },
    });
    expect(effectOf(withoutService(entry))).toMatchObject({
      // What there was before.
      ...{ frames: namespaces, services: 0, made: [], told: workloads },
    });
  });

  test("a workload's own service that comes: besides, a listener and a cluster for that workload alone", () => {
    const entry = service("own", [instance("a", { address: addressOf(7) })]);
    const made = ["CDS inbound|9080||", ...both("own"), "LDS virtualInbound", "RDS 9080"];
    expect(effectOf(withService(entry))).toEqual({
      // Its clusters are a response of their own.
      ...{ frames: namespaces, services: namespaces, made, encoded: typesIn(made) + 1 },
      ...{ told: workloads, sent: 3 * workloads + 2 },
    });
    expect(effectOf(withoutService(entry))).toMatchObject({
      frames: namespaces,
      services: 0,
      made: [],
      told: workloads,
    });
  });

  test("an instance of a known service at one workload: its endpoints for all, and the way in for that workload", () => {
    const at = (address: string) => (list: readonly Instance[]) => [...list, instance("c", { address })];
    const made = ["CDS inbound|9080||", `EDS ${cluster("s1")}`, "LDS virtualInbound"];
    expect(effectOf(withInstances("s1", at(addressOf(3))))).toEqual({
      ...{ frames: 0, services: namespaces, made, encoded: typesIn(made) },
      ...{ told: workloads, sent: workloads + 2 },
    });
  });

  test("equal things that are other objects: nothing is sent", () => {
    expect(effectOf(withCopies)).toMatchObject({ encoded: 0, told: 0, sent: 0 });
  });
});
