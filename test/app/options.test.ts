import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeServeOptions, loadServeOptions, type OptionInputs } from "../../src/app/load-options.ts";
import { defaultServeOptions, describeOptions, serveFlags } from "../../src/app/options.ts";
import { defaultRegistryOptions } from "../../src/app/registry-options.ts";
import { MeshError } from "../../src/base/errors.ts";

const load = (part: Partial<OptionInputs>) => decodeServeOptions({ flags: {}, env: {}, ...part });
const refusal = (part: Partial<OptionInputs>): string => {
  try {
    load(part);
  } catch (error) {
    if (error instanceof MeshError && error.code === "usage/invalid") return error.message;
    throw error;
  }
  return expect.fail("a refusal was expected");
};

test("nothing said: the defaults", () => {
  const loaded = load({});
  expect(loaded.options).toEqual(defaultServeOptions);
  expect(describeOptions(loaded)).toEqual([
    ["rules", "none", "default"],
    ["catalog", "none", "default"],
    ["inCluster", "false", "default"],
    ["routeTests", "none", "default"],
    ["registryOrder", "kubernetes, file, rest", "default"],
    ["joinHosts", "none", "default"],
    ["removalHold", "60s", "default"],
    ["maxShrink", "30%", "default"],
    ["trustRemovals", "none", "default"],
    ["data", "fairway-data", "default"],
    ["store", "sqlite", "default"],
    ["xds", "127.0.0.1:15010", "default"],
    ["api", "127.0.0.1:15080", "default"],
    ["requireIfMatch", "false", "default"],
    ["rateLimit", "200", "default"],
    ["metrics", "127.0.0.1:15014", "default"],
    ["logLevel", "info", "default"],
    ["logFormat", "auto", "default"],
  ]);
});

test("a flag goes before the environment, that before the file, that before the default", () => {
  const loaded = load({
    flags: { rules: ["a.yaml", "b"], xds: "0.0.0.0:1" },
    env: {
      FAIRWAY_XDS: "127.0.0.1:2",
      FAIRWAY_API: "127.0.0.1:2",
      FAIRWAY_CATALOG: "c.yaml, d.yaml",
      FAIRWAY_MESH: "",
      FAIRWAY_REQUIRE_IF_MATCH: "true",
      FAIRWAY_RATE_LIMIT: "5000",
    },
    file: {
      path: "conf/fairway.yaml",
      text: "xds: localhost:3\napi: localhost:3\nmetrics: '[::1]:3'\nlogLevel: debug\nanonymous: viewer\n",
    },
  });
  expect(loaded.options).toEqual({
    rules: ["a.yaml", "b"],
    catalog: ["c.yaml", "d.yaml"],
    inCluster: false,
    routeTests: [],
    ...defaultRegistryOptions,
    data: "fairway-data",
    store: "sqlite",
    xds: { host: "0.0.0.0", port: 1 },
    api: { host: "127.0.0.1", port: 2 },
    anonymous: "viewer",
    requireIfMatch: true,
    rateLimit: 5000,
    metrics: { host: "::1", port: 3 },
    logLevel: "debug",
    logFormat: "auto",
  });
  expect(describeOptions(loaded).map(([name, value, from]) => `${name}=${value} (${from})`)).toEqual([
    "rules=a.yaml, b (--rules)",
    "catalog=c.yaml, d.yaml (FAIRWAY_CATALOG)",
    "inCluster=false (default)",
    "routeTests=none (default)",
    "registryOrder=kubernetes, file, rest (default)",
    "joinHosts=none (default)",
    "removalHold=60s (default)",
    "maxShrink=30% (default)",
    "trustRemovals=none (default)",
    "data=fairway-data (default)",
    "store=sqlite (default)",
    "xds=0.0.0.0:1 (--xds)",
    "api=127.0.0.1:2 (FAIRWAY_API)",
    "anonymous=viewer (conf/fairway.yaml:5)",
    "requireIfMatch=true (FAIRWAY_REQUIRE_IF_MATCH)",
    "rateLimit=5000 (FAIRWAY_RATE_LIMIT)",
    "metrics=[::1]:3 (conf/fairway.yaml:3)",
    "logLevel=debug (conf/fairway.yaml:4)",
    "logFormat=auto (default)",
  ]);
});

test("paths in a file are meant as seen from the file", () => {
  const text = "rules: [rules, /etc/fairway/rules]\ncatalog: catalog.yaml\nmesh: ../mesh.yaml\ndata: data\n";
  expect(load({ file: { path: "conf/fairway.yaml", text } }).options).toMatchObject({
    rules: ["conf/rules", "/etc/fairway/rules"],
    catalog: ["conf/catalog.yaml"],
    mesh: "mesh.yaml",
    data: "conf/data",
  });
});

test("every problem at once, each with where it was said", () => {
  const message = refusal({
    flags: { xds: "15010:x" },
    env: { FAIRWAY_LOG_LEVEL: "loud", FAIRWAY_REQUIRE_IF_MATCH: "perhaps" },
    file: { path: "f.yaml", text: "xds: nowhere\nrule: a\nmetrics: 15014\n" },
  });
  expect(message.split("\n")).toEqual([
    "6 problems:",
    '  f.yaml:1:6: Expected HOST:PORT, found "nowhere". For example 127.0.0.1:15010, [::1]:15010 or 0.0.0.0:15010.',
    "  f.yaml:3:10: Expected a text, found 15014. Put it in quotes.",
    '  f.yaml:2:1: There is no field "rule". Did you mean rules?',
    '  --xds: Expected HOST:PORT, found "15010:x". For example 127.0.0.1:15010, [::1]:15010 or 0.0.0.0:15010.',
    '  FAIRWAY_REQUIRE_IF_MATCH: Expected true or false, found "perhaps".',
    '  FAIRWAY_LOG_LEVEL: Expected debug, info, warn, error or silent, found "loud".',
  ]);
});

test.each([
  [{ flags: { rateLimit: "1000" } }, 1000],
  [{ file: { path: "f.yaml", text: "rateLimit: 1000\n" } }, 1000],
])("a rate of %j", (part, rate) => {
  expect(load(part).options.rateLimit).toBe(rate);
});

test.each(["0", "1e9", "many", "2.5", "-1"])("not a rate: %s", (rateLimit) => {
  expect(refusal({ flags: { rateLimit } })).toMatch(/^--rate-limit: Expected a whole number/);
});

test("a cluster: by its file, and the context of that file; beside the file of options", () => {
  const { options } = load({ file: { path: "conf/f.yaml", text: "kubeconfig: kube.yaml\nkubeContext: lab\n" } });
  expect(options).toMatchObject({ kubeconfig: "conf/kube.yaml", kubeContext: "lab", inCluster: false });
});

test.each([
  [
    { inCluster: true as const, kubeconfig: "k.yaml" },
    "--in-cluster and --kubeconfig name two clusters. Leave out one of the two.",
  ],
  [{ kubeContext: "lab" }, "--kube-context names a context of a kubeconfig file. Give --kubeconfig, too."],
])("clusters that cannot be: %j", (flags, message) => {
  expect(refusal({ flags })).toBe(message);
});

test.each([
  ["xds: [\n", /^f\.yaml:\d+:\d+: The YAML is broken: /],
  ["xds: a:1\n---\napi: a:1\n", /^f\.yaml:3:1: A configuration file is one document\.$/],
  ["- xds\n", /^f\.yaml:1:1: Expected an object, found a list\.$/],
])("a file %j", (text, message) => {
  expect(refusal({ file: { path: "f.yaml", text } })).toMatch(message);
});

test("an empty file says nothing", () => {
  expect(load({ file: { path: "f.yaml", text: "# later\n" } }).options).toEqual(defaultServeOptions);
});

test("the file is found by flag, then by environment; one that is missing is wrong use", async () => {
  const dir = await mkdtemp(join(tmpdir(), "fairway-options-"));
  try {
    const file = join(dir, "fairway.yaml");
    await writeFile(file, "logLevel: warn\n");
    const byEnv = await loadServeOptions({ flags: {}, env: { FAIRWAY_CONFIG: file } });
    expect(byEnv.options.logLevel).toBe("warn");
    const missing = join(dir, "missing.yaml");
    const byFlag = loadServeOptions({ flags: { config: missing }, env: { FAIRWAY_CONFIG: file } });
    await expect(byFlag).rejects.toMatchObject({
      code: "usage/invalid",
      message: `cannot read the configuration file ${missing}`,
    });
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("every option is a flag with a summary and its default", () => {
  expect(serveFlags.map(({ flags, summary }) => `${flags}: ${summary}`)).toEqual([
    "--rules <path...>: files or directories of rules, watched",
    "--catalog <file...>: files or directories of services and instances, watched",
    "--kubeconfig <file>: a Kubernetes cluster as a registry: where it is, and who asks",
    "--kube-context <name>: the context of that file (default: its current one)",
    "--in-cluster: the Kubernetes cluster that this runs in as a registry",
    "--route-tests <file...>: files of route tests, watched; a change that breaks one is refused",
    "--registry-order <name...>: whose services count where several registries know one: the first; those that are not named come last (default kubernetes, file, rest)",
    "--join-hosts <host...>: hosts that are the same service in every registry, so that all their instances count; *.shop.example too",
    "--removal-hold <duration>: how long to go on serving what a registry loses all of a sudden; 0s: not at all (default 60s)",
    "--max-shrink <percent>: how much of its instances a registry may lose in that time and be believed at once (default 30%)",
    "--trust-removals <host...>: hosts of which nothing is held: what goes there goes at once; *.batch.example too",
    "--mesh <file>: settings of the whole mesh",
    "--data <dir>: directory for what must survive a restart; made when missing (default fairway-data)",
    "--store <kind>: where rules written through the API are kept: sqlite or memory (default sqlite)",
    "--xds <host:port>: where proxies connect, in plain text (default 127.0.0.1:15010)",
    "--api <host:port>: where people and tools read and write (default 127.0.0.1:15080)",
    "--anonymous <role>: what requests without a token may do: viewer, editor or admin (default: nothing)",
    "--require-if-match: refuse changes of a rule that do not say which version they change",
    "--rate-limit <number>: requests a second of one token; heartbeats of instances are not among them (default 200)",
    "--metrics <host:port>: where health and metrics are served (default 127.0.0.1:15014)",
    "--log-level <level>: debug, info, warn, error or silent (default info)",
    "--log-format <format>: text, json or auto (default auto)",
    "--config <file>: YAML file with any of these options by name (logLevel, …)",
  ]);
});

test("what is told of registries", () => {
  const { options } = load({
    flags: { registryOrder: ["rest"], joinHosts: ["a.shop.example", "*.bank.example"] },
    env: { FAIRWAY_REMOVAL_HOLD: "1m30s", FAIRWAY_TRUST_REMOVALS: "*.batch.example, b.example" },
    file: { path: "f.yaml", text: "maxShrink: 5%\n" },
  });
  expect(options).toMatchObject({
    registryOrder: ["rest", "kubernetes", "file"],
    joinHosts: ["a.shop.example", "*.bank.example"],
    removalHold: 90_000,
    maxShrink: 0.05,
    trustRemovals: ["*.batch.example", "b.example"],
  });
  expect(load({ flags: { removalHold: "0s", maxShrink: "100%" } }).options).toMatchObject({
    removalHold: 0,
    maxShrink: 1,
  });
});

test.each([
  [{ registryOrder: ["consul"] }, '--registry-order: Expected kubernetes, file or rest, found "consul".'],
  [{ removalHold: "25h" }, '--removal-hold: Expected a time from 0s to 24h, such as 60s, found "25h".'],
  [{ maxShrink: "101%" }, '--max-shrink: Expected a percentage from 0% to 100%, such as 30%, found "101%".'],
  [{ maxShrink: "0.3" }, '--max-shrink: Expected a percentage from 0% to 100%, such as 30%, found "0.3".'],
  [
    { joinHosts: ["a b"] },
    '--join-hosts: Expected a host name, found "a b". It may begin with *. for all hosts below a name.',
  ],
])("not to be told of registries: %j", (flags, message) => {
  expect(refusal({ flags })).toBe(message);
});
