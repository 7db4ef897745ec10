import { describe, expect, test } from "vitest";
import { checkReferences, checkReferencesOf } from "../../src/config/checks.ts";
import { createCatalog, emptyCatalog } from "../../src/model/catalog.ts";
import { parseHostname } from "../../src/model/hostname.ts";
import type { Labels } from "../../src/model/labels.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { serviceKey } from "../../src/model/service.ts";
import { line, rulesOf } from "./support.ts";

function service(name: string, namespace: string, ...instances: readonly Labels[]) {
  const hostname = parseHostname(`${name}.${namespace}.svc.cluster.local`);
  if (hostname === undefined) throw new Error("no host name");
  return {
    service: {
      key: serviceKey(namespace, hostname),
      hostname,
      namespace,
      ports: [{ name: "http", number: 80, protocol: "http" as const }],
      addresses: [],
      resolution: "instances" as const,
      external: false,
      createdAt: 0,
      origin: { kind: "registry" as const, registry: "file" },
    },
    instances: instances.map((labels, index) => ({
      id: `${name}-${index}`,
      address: "10.0.0.1",
      ports: {},
      labels,
      locality: { region: "", zone: "", subzone: "" },
      weight: 1,
      health: "healthy" as const,
      registry: "file",
    })),
  };
}

function alias(name: string, of: string) {
  const { service: made, ...rest } = service(name, "shop");
  const aliasOf = parseHostname(of);
  return { ...rest, service: { ...made, ports: [], ...(aliasOf && { aliasOf }) } };
}

const catalog = createCatalog([
  service("reviews", "shop", { version: "v1" }, { version: "v2" }),
  service("ratings", "shop"),
  alias("books", "reviews.shop.svc.cluster.local"),
  alias("novels", "books.shop.svc.cluster.local"),
  alias("away", "www.example.org"),
]);

const document = (kind: string, name: string, spec: string, namespace = "shop") =>
  `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`;

const route = (host: string, more = "") =>
  document("VirtualService", "route", `{hosts: [a], http: [{route: [{destination: {host: ${host}${more}}}]}]}`);
const subsets = (host: string, ...specs: readonly string[]) =>
  document("DestinationRule", "subsets", `{host: "${host}", subsets: [${specs.join(", ")}]}`);
const entry = document(
  "ServiceEntry",
  "out",
  '{hosts: [api.example.com, "*.example.org"], resolution: STATIC, endpoints: [{address: 10.0.0.9, labels: {version: v1}}]}',
);

const check = (...documents: readonly string[]) => {
  const rules = rulesOf(documents.join("---\n"));
  expect(rules.documents.map(({ verdict }) => verdict)).not.toContain("refused");
  return checkReferences(rules, catalog, defaultMeshSettings).map((finding) => `${finding.rule} ${line(finding)}`);
};

const v1 = "{name: v1, labels: {version: v1}}";

describe("references that lead somewhere are silent", () => {
  test.each<[string, readonly string[]]>([
    ["a short name", [route("reviews")]],
    ["a full name", [route("ratings.shop.svc.cluster.local")]],
    ["a host of a ServiceEntry", [route("api.example.com"), entry]],
    ["an alias", [route("books")]],
    ["a subset of what an alias stands for", [route("books", ", subset: v1"), subsets("reviews", v1)]],
    [
      "an alias of a host that a ServiceEntry has",
      [route("away"), document("ServiceEntry", "w", "{hosts: [www.example.org], resolution: STATIC}")],
    ],
    ["a subset", [route("reviews", ", subset: v1"), subsets("reviews", v1)]],
    ["a subset of a wildcard", [route("reviews", ", subset: v1"), subsets("*.cluster.local", v1)]],
    ["a subset of a ServiceEntry", [route("api.example.com", ", subset: v1"), subsets("api.example.com", v1), entry]],
    ["a wildcard over a wildcard", [subsets("*.eu.example.org"), entry]],
    ["a subset of a service without instances", [subsets("ratings", v1)]],
    [
      "gateways in each spelling",
      [
        document(
          "VirtualService",
          "g",
          "{hosts: [a], gateways: [mesh, edge, ./edge, shop/edge, other/edge, edge.other, edge.other.svc.cluster.local], http: [{route: [{destination: {host: reviews}}]}]}",
        ),
        document("Gateway", "edge", '{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ["*"]}]}'),
        document(
          "Gateway",
          "edge",
          '{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ["*"]}]}',
          "other",
        ),
      ],
    ],
  ])("%s", (_name, documents) => {
    expect(check(...documents)).toEqual([]);
  });
});

describe("aliases", () => {
  test.each([
    [
      "books",
      ", subset: v2",
      "rule/unknown-subset /spec/http/0/route/0/destination/subset No DestinationRule defines the subset v2 of books.shop.svc.cluster.local.",
    ],
    [
      "novels",
      "",
      "rule/unknown-host /spec/http/0/route/0/destination/host No service has the host novels.shop.svc.cluster.local. It stands for books.shop.svc.cluster.local, which no service has for its host.",
    ],
    [
      "away",
      "",
      "rule/unknown-host /spec/http/0/route/0/destination/host No service has the host away.shop.svc.cluster.local. It stands for www.example.org, which no service has for its host.",
    ],
  ])("the destination %s%s", (name, more, want) => {
    expect(check(route(name, more), subsets("reviews", v1))).toEqual([expect.stringContaining(want)]);
  });

  test("are not spoken of", () => {
    const spoken = document(
      "VirtualService",
      "v",
      "{hosts: [reviews, books, away], http: [{route: [{destination: {host: ratings}}]}]}",
    );
    const effect =
      "books.shop.svc.cluster.local stands for reviews.shop.svc.cluster.local: what this rule says of it has no effect. Write reviews.shop.svc.cluster.local.";
    expect(check(spoken, subsets("books"))).toEqual([
      expect.stringMatching(/^DestinationRule/),
      expect.stringMatching(/^VirtualService/),
    ]);
    for (const told of check(spoken, subsets("books"))) expect(told).toContain(effect);
  });
});

describe("TCP ports of services that nothing else tells apart", () => {
  const db = (more: string) => document("ServiceEntry", "db", `{hosts: [db.example.com], resolution: DNS, ${more}}`);

  test("without addresses they are warnings, each of them", () => {
    expect(
      check(
        db(
          "ports: [{number: 80, name: http, protocol: HTTP}, {number: 5432, name: db, protocol: TCP}, {number: 5433, name: db2, protocol: tcp}]",
        ),
      ),
    ).toEqual(
      [
        ["4:100", 1, 5432],
        ["4:141", 2, 5433],
      ].map(
        ([at, index, port]) =>
          `ServiceEntry/shop/db rules.yaml:${at} warning rule/port-without-address /spec/ports/${index} Nothing but its number tells the TCP port ${port} from that of another service: of several without addresses, the oldest gets all connections. Add the addresses that clients dial.`,
      ),
    );
  });

  test.each([
    "addresses: [192.0.2.1], ports: [{number: 5432, name: db, protocol: TCP}]",
    "ports: [{number: 5432, name: db}, {number: 443, name: tls, protocol: TLS}]",
  ])("none: %s", (more) => {
    expect(check(db(more))).toEqual([]);
  });
});

describe("references that lead nowhere are warnings", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    [
      "a misspelt host",
      [route("reviws")],
      [
        "VirtualService/shop/route rules.yaml:4:57 warning rule/unknown-host /spec/http/0/route/0/destination/host No service has the host reviws.shop.svc.cluster.local. Did you mean reviews.shop.svc.cluster.local?",
      ],
    ],
    [
      "a host of another name, with the same long ending",
      [route("cart")],
      [
        "VirtualService/shop/route rules.yaml:4:57 warning rule/unknown-host /spec/http/0/route/0/destination/host No service has the host cart.shop.svc.cluster.local. Add the service to a registry, or write a ServiceEntry for it.",
      ],
    ],
    [
      "a host of another namespace",
      [
        document(
          "VirtualService",
          "route",
          "{hosts: [a], http: [{route: [{destination: {host: reviews}}]}]}",
          "default",
        ),
      ],
      [
        "VirtualService/default/route rules.yaml:4:57 warning rule/unknown-host /spec/http/0/route/0/destination/host No service has the host reviews.default.svc.cluster.local. Did you mean reviews.shop.svc.cluster.local?",
      ],
    ],
    [
      "a host that only a wildcard covers",
      [route("eu.example.org"), entry],
      [
        "VirtualService/shop/route rules.yaml:4:57 warning rule/unknown-host /spec/http/0/route/0/destination/host No service has the host eu.example.org. Only the wildcard *.example.org covers it: write a ServiceEntry with its full name.",
      ],
    ],
    [
      "the host of a DestinationRule",
      [subsets("nothing.example.net")],
      [
        "DestinationRule/shop/subsets rules.yaml:4:14 warning rule/unknown-host /spec/host No service has the host nothing.example.net. Add the service to a registry, or write a ServiceEntry for it.",
      ],
    ],
    [
      "a wildcard over nothing",
      [subsets("*.example.net")],
      [
        "DestinationRule/shop/subsets rules.yaml:4:14 warning rule/unknown-host /spec/host No service has the host *.example.net. Add the service to a registry, or write a ServiceEntry for it.",
      ],
    ],
    [
      "a subset without a DestinationRule",
      [route("reviews", ", subset: v1")],
      [
        "VirtualService/shop/route rules.yaml:4:74 warning rule/unknown-subset /spec/http/0/route/0/destination/subset No DestinationRule defines the subset v1 of reviews.shop.svc.cluster.local. Write a DestinationRule for reviews.shop.svc.cluster.local with this subset.",
      ],
    ],
    [
      "a misspelt subset",
      [route("reviews", ", subset: canry"), subsets("reviews", "{name: canary}")],
      [
        "VirtualService/shop/route rules.yaml:4:74 warning rule/unknown-subset /spec/http/0/route/0/destination/subset No DestinationRule defines the subset canry of reviews.shop.svc.cluster.local. Did you mean canary?",
      ],
    ],
    [
      "another subset",
      [route("reviews", ", subset: blue"), subsets("reviews", v1, "{name: v2}")],
      [
        "VirtualService/shop/route rules.yaml:4:74 warning rule/unknown-subset /spec/http/0/route/0/destination/subset No DestinationRule defines the subset blue of reviews.shop.svc.cluster.local. Defined are v1, v2.",
      ],
    ],
    [
      "a gateway",
      [
        document(
          "VirtualService",
          "g",
          "{hosts: [a], gateways: [egde, other/edge], http: [{route: [{destination: {host: reviews}}]}]}",
        ),
        document("Gateway", "edge", '{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ["*"]}]}'),
      ],
      [
        "VirtualService/shop/g rules.yaml:4:31 warning rule/unknown-gateway /spec/gateways/0 There is no Gateway egde in the namespace shop. Did you mean shop/edge?",
        "VirtualService/shop/g rules.yaml:4:37 warning rule/unknown-gateway /spec/gateways/1 There is no Gateway edge in the namespace other. Write the Gateway, or remove its name here.",
      ],
    ],
    [
      "a subset that selects no instance",
      [subsets("reviews", v1, "{name: v3, labels: {version: v3, app: a}}")],
      [
        "DestinationRule/shop/subsets rules.yaml:4:89 warning rule/empty-subset /spec/subsets/1/labels The subset v3 (app=a,version=v3) selects none of the 2 instances of reviews.shop.svc.cluster.local. Compare the labels with those of the instances.",
      ],
    ],
  ])("%s", (_name, documents, expected) => {
    expect(check(...documents)).toEqual(expected);
  });

  test("sorted by rule", () => {
    const findings = check(
      route("b.example.net"),
      subsets("c.example.net"),
      document("VirtualService", "a", "{hosts: [a], gateways: [x], http: [{route: [{destination: {host: reviews}}]}]}"),
    );
    expect(findings.map((text) => text.split(" ")[0])).toEqual([
      "DestinationRule/shop/subsets",
      "VirtualService/shop/a",
      "VirtualService/shop/route",
    ]);
  });
});

test("the domain of short names is the mesh's", () => {
  const rules = rulesOf(route("reviews"));
  const [finding] = checkReferences(rules, emptyCatalog, { ...defaultMeshSettings, domain: "example.internal" });
  expect(finding?.message).toBe("No service has the host reviews.shop.svc.example.internal.");
});

test("one rule is checked without a look at the others", () => {
  const other = document("VirtualService", "other", "{hosts: [b], http: [{route: [{destination: {host: nowhere}}]}]}");
  const rules = rulesOf([route("nobody"), other].join("---\n"));
  const located: string[] = [];
  const watched = {
    rules: rules.rules,
    locate: (...at: Parameters<typeof rules.locate>) => {
      located.push(at[0]);
      return rules.locate(...at);
    },
  };
  const [rule] = [...rules.rules.values()].filter(({ name }) => name === "route");
  const found = rule && checkReferencesOf(rule, watched, catalog, defaultMeshSettings);
  expect(located).toEqual(["VirtualService/shop/route"]);
  expect(found).toEqual(
    checkReferences(rules, catalog, defaultMeshSettings).filter((finding) => finding.rule === rule?.key),
  );
});
