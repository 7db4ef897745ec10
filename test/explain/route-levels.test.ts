import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, type TestContext, test } from "vitest";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import { envoyBinary, envoyLines, launchTestEnvoy } from "../support/envoy.ts";
import { staticBootstrap } from "../support/static-envoy.ts";
import { waitFor } from "../support/wait-for.ts";
import {
  type Around,
  ask,
  clusterOf,
  configurationOf,
  endpoint,
  forwardedIn,
  listenerOf,
  managerAround,
} from "./configuration.ts";

/* Mirrors and retries that stand on several levels, as a real Envoy has them: whom a request reaches, and how often. */

const mirrors = ["table", "host", "route"] as const;
const mirrored = (cluster: (typeof mirrors)[number]): JsonObject => ({ request_mirror_policies: [{ cluster }] });
const retried = (retry_on: string, num_retries?: number): JsonObject => ({
  retry_policy: { retry_on, ...(num_retries !== undefined && { num_retries }) },
});

const cases: Readonly<Record<string, Around>> = {
  "no-mirror": {},
  "mirror-of-the-table": { table: mirrored("table") },
  "mirror-of-the-host": { table: mirrored("table"), host: mirrored("host") },
  "mirror-of-the-route": { table: mirrored("table"), host: mirrored("host"), action: mirrored("route") },
  "mirror-of-the-route-alone": { action: mirrored("route") },
  "retry-of-the-host": { host: retried("5xx") },
  "retries-of-the-host": { host: retried("5xx", 3) },
  "retries-of-the-route": { host: retried("5xx"), action: retried("5xx", 2) },
  "retry-of-something-else": { host: retried("5xx"), action: retried("reset") },
  "retry-of-nothing": { host: retried("5xx"), action: { retry_policy: {} } },
  "no-retries": { host: retried("5xx"), action: retried("5xx", 0) },
};

/** Tries that reach the cluster `a`, which fails them all, and the mirrors that get a copy of each. */
interface Seen {
  readonly tries: number;
  readonly copies: readonly string[];
}

function here(around: Around): Seen {
  const configuration = configurationOf({ listeners: [listenerOf(managerAround(around))], clusters: [clusterOf("a")] });
  const { policies } = forwardedIn(ask(configuration, { url: "http://a/" }));
  const retries = policies.retry?.on.includes("5xx") ? policies.retry.retries : 0;
  return { tries: 1 + retries, copies: policies.mirrors.map(({ cluster }) => cluster) };
}

/** Answers with 500, and hears the paths that it is asked for. */
function startUpstream({ onTestFinished }: Pick<TestContext, "onTestFinished">, heard: string[]): Promise<number> {
  const server = createServer(({ url = "" }, response) => {
    heard.push(url.slice(1));
    response.writeHead(500).end();
  });
  onTestFinished(async () => void server.close().closeAllConnections());
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

describe.each(envoyLines)("Envoy %s", (line) => {
  test("holds to the levels that are told", async (context) => {
    const { path } = await envoyBinary(context, line);
    const names = ["a", ...mirrors];
    const heard = new Map(names.map((name) => [name, [] as string[]]));
    const clusters = await Promise.all(
      names.map(async (name) =>
        clusterOf(name, endpoint("127.0.0.1", await startUpstream(context, heard.get(name) ?? []))),
      ),
    );
    const listeners = Object.entries(cases).map(([name, around]) => ({
      ...listenerOf(managerAround(around)),
      ...{ name, address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    }));
    const envoy = await launchTestEnvoy({
      ...{ cleanup: context.onTestFinished, launcher: processLauncher(path), concurrency: 1 },
      bootstrap: staticBootstrap(listeners, clusters),
    });
    const admin = await envoy.ready();
    for (const { name, address } of await admin.listeners()) {
      expect((await fetch(`http://127.0.0.1:${address?.port}/${name}`)).status).toBe(500);
    }
    const told = Object.fromEntries(Object.entries(cases).map(([name, around]) => [name, here(around)]));
    // A copy may come after the answer.
    const copies = Object.values(told).reduce((sum, one) => sum + one.copies.length, 0);
    await waitFor(() => mirrors.flatMap((name) => heard.get(name) ?? []).length >= copies);
    const seen = Object.keys(cases).map((name): readonly [string, Seen] => [
      name,
      {
        tries: heard.get("a")?.filter((one) => one === name).length ?? 0,
        copies: mirrors.filter((mirror) => heard.get(mirror)?.includes(name)),
      },
    ]);
    expect(told).toEqual(Object.fromEntries(seen));
    expect(new Set(seen.map(([, { tries }]) => tries))).toEqual(new Set([1, 2, 3, 4]));
  });
});
