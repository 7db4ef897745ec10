import { expect, test } from "vitest";
import { expectWhole } from "../../src/cli/offline.ts";
import { createResourceSet } from "../../src/envoy/resource-set.ts";
import { fairway } from "./terminal.ts";

const golden = "test/golden/canary-weights";
const line = `compile --rules ${golden}/rules.yaml --catalog ${golden}/catalog.yaml --node ${golden}/proxy.yaml`;

interface Compiled {
  readonly listeners: readonly { readonly name: string }[];
  readonly clusters: readonly { readonly name: string }[];
  readonly routes: readonly { readonly name: string; readonly virtualHosts: readonly VirtualHost[] }[];
  readonly endpoints: readonly { readonly clusterName: string }[];
}

interface VirtualHost {
  readonly name: string;
  readonly routes: readonly {
    readonly route: { readonly weightedClusters?: { readonly clusters: readonly object[] } };
  }[];
}

async function compiled(): Promise<Compiled> {
  const { exit, out, err } = await fairway(line);
  expect([exit, err]).toEqual([0, ""]);
  return JSON.parse(out);
}

/** The pointer of the weight of the canary, wherever the compiler puts its virtual host. */
async function weightPointer(): Promise<string> {
  const [route] = (await compiled()).routes;
  const index = route?.virtualHosts.findIndex(({ routes }) => routes[0]?.route.weightedClusters !== undefined);
  return `/routes/0/virtualHosts/${index}/routes/0/route/weightedClusters/clusters/1/weight`;
}

test("everything that the proxy would get, in lists by name", async () => {
  const json = await compiled();
  expect(Object.keys(json)).toEqual(["listeners", "clusters", "routes", "endpoints"]);
  expect(json.listeners.length).toBeGreaterThan(0);
  const clusters = json.clusters.map(({ name }) => name);
  expect(clusters).toEqual([...clusters].sort());
  expect(clusters).toContain("outbound|9080|v2|reviews.shop.svc.cluster.local");
  expect(json.endpoints.map(({ clusterName }) => clusterName)).toContain(
    "outbound|9080|v2|reviews.shop.svc.cluster.local",
  );
});

test("--why names the rule, the line and the field behind a weight", async () => {
  const pointer = await weightPointer();
  const { exit, out } = await fairway(`${line} --why ${pointer}`);
  expect(exit).toBe(0);
  expect(out).toBe(
    [
      "RDS 9080",
      `${pointer} = 10`,
      "",
      `${golden}/rules.yaml:12:19  VirtualService/shop/reviews  /spec/http/0/route/1/weight`,
      "  12 │           weight: 10",
      "     │                   ^^",
      "",
    ].join("\n"),
  );
});

test("--why as JSON", async () => {
  const pointer = await weightPointer();
  const { out } = await fairway(`${line} --why ${pointer} -o json`);
  expect(JSON.parse(out)).toEqual({
    pointer,
    value: 10,
    resource: { type: "RDS", name: "9080" },
    origins: [
      {
        kind: "rule",
        rule: "VirtualService/shop/reviews",
        pointer: "/spec/http/0/route/1/weight",
        file: `${golden}/rules.yaml`,
        line: 12,
        column: 19,
      },
    ],
  });
});

test("--why of an instance names its registry", async () => {
  const { out } = await fairway(`${line} --why /endpoints/0/endpoints/0/lbEndpoints/0`);
  expect(out).toMatch(/\nregistry file: service shop\/[a-z.]+, instance \S+\n$/);
});

test.each([
  ["/route/0", "there is nothing at /route\n  Did you mean /routes?"],
  ["/routes/99", "there is nothing at /routes/99\n  The list /routes has the items 0 to "],
  ["/routes/0/virtualHost", "there is nothing at /routes/0/virtualHost\n  Did you mean /routes/0/virtualHosts?"],
  ["/clusters/0/name/x", "there is nothing at /clusters/0/name/x\n  There is nothing below /clusters/0/name at all."],
  ["routes", '"routes" is no JSON pointer\n'],
])("--why %s is wrong use", async (pointer, message) => {
  const { exit, out, err } = await fairway([...line.split(" "), "--why", pointer]);
  expect([exit, out]).toEqual([2, ""]);
  expect(err.startsWith(`fairway: ${message}`), err).toBe(true);
});

test("rules with errors are left out, and said so beside the JSON", async () => {
  const { exit, out, err } = await fairway(`compile --rules test/cli/fixtures/rules --node ${golden}/proxy.yaml`);
  expect(exit).toBe(1);
  expect(Object.keys(JSON.parse(out))).toEqual(["listeners", "clusters", "routes", "endpoints"]);
  expect(err).toContain("rules/reviews.yaml:16:19  error    rule/invalid-value");
  expect(err).toMatch(/\nfairway: 1 document with errors left out\n$/);
});

test("a catalog or mesh file with problems compiles nothing", async () => {
  const broken = "test/cli/fixtures/broken-catalog.yaml";
  const catalog = await fairway(`compile --catalog ${broken} --node ${golden}/proxy.yaml`);
  expect([catalog.exit, catalog.out]).toEqual([1, ""]);
  expect(catalog.err).toContain(`${broken}:5:62: Expected a whole number from 0 to 4294967295, found -1.`);
  const mesh = await fairway(`compile --mesh test/cli/fixtures/catalog.yaml --node ${golden}/proxy.yaml`);
  expect([mesh.exit, mesh.out]).toEqual([1, ""]);
  expect(mesh.err).toContain('catalog.yaml:1:1: There is no field "services".');
});

test("a part that cannot be compiled is an error; one that stands in for what is missing is not", () => {
  const missing = { type: "CDS", name: "a", kind: "missing", reason: "nobody has it" } as const;
  expect(() => expectWhole(createResourceSet([], [missing]))).not.toThrow();
  const broken = { type: "RDS", name: "80", kind: "broken", reason: "bad luck" } as const;
  expect(() => expectWhole(createResourceSet([], [missing, broken]))).toThrow(
    "a part could not be compiled\nRDS 80: bad luck",
  );
});
