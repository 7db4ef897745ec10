import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { startControlPlane } from "../../src/app/control-plane.ts";
import { createLog } from "../../src/base/log.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { runClient } from "./client-process.ts";
import { exampleCatalog, exampleSidecar } from "./example-rules.ts";

const rules = 10_000;
const proxies = 5;
const loopback = { host: "127.0.0.1", port: 0 };

/** A server with many rules in its store on disk: what a list page and the apply of one rule take, and how long it stalls. */
export async function apiBench(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), "fairway-bench-"));
  const catalog = join(data, "catalog.yaml");
  await writeFile(catalog, exampleCatalog(rules));
  const sidecars = join(data, "sidecars.yaml");
  const namespaces = Array.from({ length: proxies }, (_, index) => `ns-${index}`);
  await writeFile(sidecars, namespaces.map(exampleSidecar).join("---\n"));
  const plane = await startControlPlane({
    rules: [sidecars],
    catalog: [catalog],
    mesh: defaultMeshSettings,
    store: { kind: "sqlite", folder: join(data, "store") },
    apiLimits: { requestsPerSecond: 1_000_000, requestBurst: 1_000_000 },
    xds: loopback,
    api: loopback,
    metrics: loopback,
    log: createLog({ level: "error", format: "text", write: (line) => process.stderr.write(line) }),
  });
  const { api, xds } = plane.listens;
  const token = readFileSync(plane.tokenFile ?? "", "utf8").trim();
  const url = `http://${api.host}:${api.port}`;
  try {
    const load = await measured([url, token, "load", String(rules), "50"]);
    const alone = await measured([url, token, "requests", String(rules), "10"]);
    const mesh = runClient("proxies.ts", [`${xds.host}:${xds.port}`, String(proxies), "80"]);
    await mesh.ready;
    const served = await measured([url, token, "requests", String(rules), "20"]);
    mesh.end();
    const { responses, bytes } = (await mesh.result) as { readonly responses: number; readonly bytes: number };
    return [
      `API with ${rules} rules in the store`,
      ...reportOf("while they are loaded", load),
      ...reportOf("without proxies", alone),
      ...reportOf(`with ${proxies} proxies, each with the ${rules / 20} rules of its namespace`, served),
      `The proxies took ${responses} responses, ${(bytes / 1e6).toFixed(0)} MB.`,
    ].join("\n");
  } finally {
    await plane.stop();
    await rm(data, { recursive: true, force: true });
  }
}

interface Measured {
  readonly figures: Readonly<Record<string, readonly number[]>>;
  readonly delay: IntervalHistogram;
}

/** What a client measures, and how late this event loop was meanwhile. */
async function measured(args: readonly string[]): Promise<Measured> {
  const client = runClient("api-client.ts", args);
  await client.ready;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const figures = (await client.result) as Measured["figures"];
  delay.disable();
  return { figures, delay };
}

const titles: Readonly<Record<string, string>> = {
  load: "change set of 500 rules",
  page: "page of 100 of a namespace",
  whole: "page of 100 of all",
  selected: "page of 100 by label",
  apply: "PUT of one rule",
  read: "GET of one rule",
};

const columns = ["median", "p99", "max"] as const;

function reportOf(when: string, { figures, delay }: Measured): readonly string[] {
  const row = (title: string, cells: readonly string[]) =>
    `  ${title.padEnd(30)}${cells.map((cell) => cell.padStart(12)).join("")}`;
  const times = Object.entries(figures).map(([name, list]) => {
    const ascending = [...list].sort((a, b) => a - b);
    const at = (share: number) => msText(ascending[Math.floor(share * (ascending.length - 1))] ?? 0);
    return row(titles[name] ?? name, [at(0.5), at(0.99), at(1)]);
  });
  // The monitor's own clock ticks every millisecond; that is no delay.
  const late = [delay.percentile(50), delay.percentile(99), delay.max].map((ns) => msText(Math.max(0, ns / 1e6 - 1)));
  return ["", `${when}:`, row("", columns), ...times, row("event loop late by", late)];
}

const msText = (ms: number): string => `${ms.toFixed(1)} ms`;
