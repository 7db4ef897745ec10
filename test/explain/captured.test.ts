import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { decode } from "../../src/base/decode.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { workloadIn } from "../../src/compile/dialled.ts";
import { resourcesIn } from "../../src/envoy/proxy-resources.ts";
import { explain } from "../../src/explain/explain.ts";
import type { Explanation } from "../../src/explain/explanation.ts";
import { nowhere } from "../../src/explain/places.ts";
import { question } from "../../src/explain/question.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { MeshSettings } from "../../src/model/mesh-settings.ts";
import type { Protocol } from "../../src/model/port.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { egressEverywhere, instance, service, sidecar, world } from "../support/mesh.ts";

/* Sidecars whose connections are captured: which way a connection comes, and what is found out about it. */

function at(
  name: string,
  {
    number,
    protocol = "http",
    addresses = [],
    target = number,
    address = "10.0.0.1",
    headless = false,
  }: {
    readonly number: number;
    readonly protocol?: Protocol;
    readonly addresses?: readonly string[];
    readonly target?: number;
    readonly address?: string;
    readonly headless?: boolean;
  },
): CatalogEntry {
  const entry = service(name, [instance("a", { address, ports: { p: target } })], { port: number });
  const resolution = headless ? "original-destination" : "instances";
  return { ...entry, service: { ...entry.service, addresses, resolution, ports: [{ name: "p", number, protocol }] } };
}

const services = [
  at("reviews", { number: 9080, addresses: ["10.96.0.1"] }),
  at("db", { number: 5432, protocol: "tcp", addresses: ["10.96.0.2"] }),
  at("mysql", { number: 3306, protocol: "auto", addresses: ["10.96.0.3"] }),
  at("odd", { number: 2525, protocol: "auto", addresses: ["10.96.0.4"] }),
  at("kafka", { number: 9092, protocol: "tcp", headless: true, address: "10.0.0.11" }),
  at("named", { number: 9093, protocol: "tcp" }),
  at("web", { number: 80, target: 8080, addresses: ["10.96.0.5"], address: "10.0.0.9" }),
  at("own", { number: 82, target: 8082, protocol: "auto", addresses: ["10.96.0.7"], address: "10.0.0.9" }),
  at("raw", { number: 81, target: 8081, protocol: "tcp", addresses: ["10.96.0.6"], address: "10.0.0.9" }),
];

interface Asked {
  readonly node?: Partial<ProxyNode>;
  readonly mesh?: Partial<MeshSettings>;
  readonly rules?: Parameters<typeof world>[0]["rules"];
  /** As a config dump: without what registries know. */
  readonly isDump?: boolean;
}

const compiler = createCompiler();

function ask(body: JsonObject, { node = {}, mesh = {}, rules = [], isDump = false }: Asked = {}): Explanation {
  const asked = decode(question, body);
  if (!asked.ok) throw new Error(asked.problems.map(({ message }) => message).join(" "));
  const proxy = sidecar("web", { interceptionMode: "redirect", ...node });
  const present = world({ services, mesh, rules });
  const resources = resourcesIn(compiler.compileFor(present, proxy));
  const workload = isDump ? {} : { workload: workloadIn(present, proxy) };
  return explain({ resources, locate: nowhere, ...workload }, asked.value, semanticsOf(undefined));
}

const clusterOf = ({ outcomes: [first] }: Explanation): string | undefined =>
  first !== undefined && "cluster" in first.result ? first.result.cluster : first?.result.kind;

/** Destination, listener, cluster. */
const wayOf = (explanation: Explanation) => [
  explanation.capture?.destination,
  explanation.listener?.name,
  clusterOf(explanation),
];

const of = (number: number, name: string): string => `outbound|${number}||${name}.shop.svc.cluster.local`;

describe("calls of the workload", () => {
  test.each<[string, string | undefined, string, string]>([
    ["http://reviews:9080/", "10.96.0.1:9080", "0.0.0.0_9080", of(9080, "reviews")],
    ["http://10.96.0.1:9080/", "10.96.0.1:9080", "0.0.0.0_9080", of(9080, "reviews")],
    ["http://nobody:9080/", undefined, "0.0.0.0_9080", "PassthroughCluster"],
    ["tcp://reviews:9080", "10.96.0.1:9080", "0.0.0.0_9080", "PassthroughCluster"],
    ["tcp://db:5432", "10.96.0.2:5432", "10.96.0.2_5432", of(5432, "db")],
    ["tls://db:5432", "10.96.0.2:5432", "10.96.0.2_5432", of(5432, "db")],
    ["tcp://kafka:9092", "10.0.0.11:9092", "10.0.0.11_9092", of(9092, "kafka")],
    ["tcp://named:9093", undefined, "0.0.0.0_9093", of(9093, "named")],
    ["tcp://nobody:7", undefined, "virtualOutbound", "PassthroughCluster"],
    ["tcp://10.9.9.9:7", "10.9.9.9:7", "virtualOutbound", "PassthroughCluster"],
    ["tcp://10.9.9.9:15001", "10.9.9.9:15001", "virtualOutbound", "BlackHoleCluster"],
  ])("%s", (url, ...way) => {
    const told = ask({ url });
    expect(wayOf(told)).toEqual(way);
    expect(told.capture).toMatchObject({ direction: "outbound", by: "virtualOutbound" });
  });

  test("what is handed over says by whom, and how the destination came about", () => {
    const { capture, listener } = ask({ url: "tcp://kafka:9092" });
    expect(listener?.found).toBe('handed over by "virtualOutbound", as it listens at the address');
    expect(capture?.found).toBe(
      "kafka.shop.svc.cluster.local has no address of its own; 10.0.0.11 is one of its instances",
    );
  });

  test("a cluster that leads to where the client dialled leads to that address", () => {
    for (const [url, address] of [["tcp://kafka:9092", "10.0.0.11:9092"], ["tcp://nobody:7"]] as const) {
      expect(ask({ url }).outcomes).toMatchObject([{ result: { leadsTo: { isKnown: true } } }]);
      const [{ result } = {}] = ask({ url }).outcomes;
      expect(result).toHaveProperty("leadsTo", {
        ...{ kind: "original-destination", isKnown: true },
        ...(address && { address }),
      });
    }
  });

  test("loopback addresses are not captured, and --listener asks for no address", () => {
    expect(ask({ url: "http://127.0.0.1:7/" }).outcomes).toMatchObject([{ result: { kind: "close" } }]);
    expect(ask({ url: "http://reviews:9080/", listener: "0.0.0.0_9080" }).capture).toBeUndefined();
  });

  test("a listener with a port of its own is dialled where the name has no address", () => {
    const told = ask({ url: "http://nobody:9000/" }, { rules: [egressEverywhere(9000)] });
    expect([told.capture, told.listener?.name]).toEqual([undefined, "127.0.0.1_9000"]);
  });

  test("an IPv6 proxy has listeners of its family", () => {
    const node = { addresses: ["fd00::9"] };
    expect(wayOf(ask({ url: "http://nobody:9080/" }, { node }))).toEqual([
      ...[undefined, "::_9080", "PassthroughCluster"],
    ]);
    expect(wayOf(ask({ url: "tcp://[fd00::7]:7" }, { node }))[0]).toBe("[fd00::7]:7");
  });

  test("REGISTRY_ONLY", () => {
    const mesh = { outboundTrafficPolicy: "REGISTRY_ONLY" } as const;
    expect(ask({ url: "tcp://10.9.9.9:7" }, { mesh }).outcomes).toMatchObject([
      { result: { cluster: "BlackHoleCluster", meaning: expect.stringContaining("REGISTRY_ONLY") } },
    ]);
    expect(ask({ url: "http://nobody:9080/" }, { mesh }).outcomes).toMatchObject([
      { result: { kind: "answer", status: 502, reason: "no registry knows the host, and no other may be called" } },
    ]);
  });

  test("a dump says as much as it knows", () => {
    const dumped = (url: string) => {
      const told = ask({ url }, { isDump: true });
      return [...wayOf(told), told.capture?.found];
    };
    expect(dumped("http://reviews:9080/")).toEqual([
      ...["10.96.0.1:9080", "0.0.0.0_9080", of(9080, "reviews")],
      "the configuration gives reviews the address 10.96.0.1",
    ]);
    expect(dumped("tcp://db.shop:5432")).toEqual([
      ...["10.96.0.2:5432", "10.96.0.2_5432", of(5432, "db")],
      "the configuration gives db.shop the address 10.96.0.2",
    ]);
    expect(dumped("tcp://d:5432")).toEqual([
      ...[undefined, "virtualOutbound", "PassthroughCluster"],
      "the configuration does not say which address d has",
    ]);
  });
});

describe("calls to the workload", () => {
  test.each<[string, JsonObject, string, string]>([
    ["by the name of a service", { url: "http://web/", inbound: true }, "10.0.0.9:8080", "inbound|8080||"],
    ["by its own address", { url: "http://10.0.0.9:8080/" }, "10.0.0.9:8080", "inbound|8080||"],
    ["by a destination", { url: "http://web/", destination: "10.0.0.9:8080" }, "10.0.0.9:8080", "inbound|8080||"],
    ["by a port of its own", { url: "http://any:8080/", inbound: true }, "10.0.0.9:8080", "inbound|8080||"],
    ["without requests", { url: "tcp://raw:81", inbound: true }, "10.0.0.9:8081", "inbound|8081||"],
    ["of no declared protocol", { url: "tcp://own:82", inbound: true }, "10.0.0.9:8082", "inbound|8082||"],
    ["to another port", { url: "tcp://10.0.0.9:7" }, "10.0.0.9:7", "InboundPassthroughCluster"],
    ["to the proxy's own port", { url: "tcp://10.0.0.9:15006" }, "10.0.0.9:15006", "BlackHoleCluster"],
  ])("%s", (_, body, destination, cluster) => {
    const told = ask(body);
    expect(wayOf(told)).toEqual([destination, "virtualInbound", cluster]);
    expect(told.capture).toMatchObject({ direction: "inbound", by: "virtualInbound" });
  });

  test("the filter chain, the route, and where it leads", () => {
    expect(ask({ url: "http://web/", inbound: true })).toMatchObject({
      filterChain: { name: "0.0.0.0_8080", asks: ["the destination port is 8080"] },
      virtualHost: { name: "inbound|http|80" },
      outcomes: [{ route: { name: "default" }, result: { leadsTo: { address: "10.0.0.9:8080" } } }],
    });
  });

  test("a dump does not know the workload's address", () => {
    const told = ask({ url: "tcp://raw:8081", inbound: true }, { isDump: true });
    expect([told.capture?.found, clusterOf(told)]).toEqual([
      ...["the address of the workload is not known", "inbound|8081||"],
    ]);
  });

  test("where nothing is captured there may be nobody", () => {
    const node = { interceptionMode: "none" } as const;
    expect(() => ask({ url: "http://web/", inbound: true }, { node })).toThrow("no listener for such requests");
  });
});

describe("the protocol", () => {
  const found = (body: JsonObject, asked: Asked = {}) => ask(body, asked).protocol;

  test.each<[JsonObject, string]>([
    [{ url: "http://reviews:9080/" }, "recognised as HTTP/1.1 by its first bytes"],
    [
      { url: "http://reviews:9080/", headers: { "content-type": "application/grpc" } },
      "recognised as HTTP/2 by its first bytes",
    ],
    [{ url: "https://reviews:9080/" }, "not recognised by its first bytes"],
    [{ url: "tcp://db:5432" }, "not looked at, as a single service has the address"],
    [{ url: "tcp://mysql:3306" }, "not looked at, as nothing is recognised on port 3306, where servers speak first"],
    [{ url: "http://web/", inbound: true }, "not looked at, as all that comes here is taken for HTTP"],
    [{ url: "tcp://nobody:7" }, "not looked at, as nothing depends on it"],
  ])("%o", (body, text) => {
    expect(found(body)).toEqual({ found: text });
  });

  test("a listener that waits for first bytes says so, and for how long", () => {
    const waiting = (timeoutMs: number) => ({
      found: "not known before the client's first bytes",
      waits: { timeoutMs, goesOn: true },
    });
    expect(found({ url: "tcp://odd:2525" })).toEqual(waiting(0));
    expect(found({ url: "tcp://own:82", inbound: true })).toEqual(waiting(0));
    expect(found({ url: "tcp://odd:2525" }, { mesh: { protocolDetectionTimeoutMs: 5_000 } })).toEqual(waiting(5_000));
  });
});
