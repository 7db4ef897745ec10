import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { type ControlPlane, startControlPlane } from "../../src/app/control-plane.ts";
import { createLog } from "../../src/base/log.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { schemathesis } from "../support/schemathesis.ts";

/** The long form takes this many seconds: every operation of every kind, anew each time. */
const longSeconds = Number(process.env["FAIRWAY_SCHEMATHESIS_SECONDS"] ?? 0);
const isLong = longSeconds > 0;
const timeoutMs = (longSeconds + 110) * 1_000;

const config = join(import.meta.dirname, "schemathesis.toml");
const loopback = { host: "127.0.0.1", port: 0 };

/** Operations of one kind wholly, and writes of the others: what differs between kinds is the document. */
const oneKind = ["--exclude-path-regex", "/(destinationrules|sidecars|serviceentries|virtualservices)(/|$|\\.json)"];
const shortForm = [...oneKind, "--max-examples", "3", "--seed", "1"];
const longForm = ["--max-examples", "50", "--max-time", String(longSeconds)];

test("schemathesis finds no answer that the document does not say", {
  timeout: timeoutMs + 10_000,
}, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "fairway-schemathesis-"));
  context.onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const plane = await serve(context, join(folder, "data"));
  const { host, port } = plane.listens.api;
  const url = `http://${host}:${port}`;
  const [document, report] = [join(folder, "openapi.json"), join(folder, "report.json")];
  await writeFile(document, JSON.stringify(withoutLargeBounds(await (await fetch(`${url}/openapi.json`)).json())));

  const token = (await readFile(plane.tokenFile ?? "", "utf8")).trim();
  const { printed } = await schemathesis(
    context,
    [
      ...["--config-file", config, "run", document, "--url", url, "--header", `Authorization: Bearer ${token}`],
      ...["--checks", "all", "--continue-on-failure"],
      ...["--report", "json", "--report-json-path", report],
      ...(isLong ? longForm : shortForm),
    ],
    { timeoutMs },
  );
  const { test_cases: cases, failures, errors, phases } = JSON.parse(await readFile(report, "utf8")) as Report;
  if (isLong) console.info(`schemathesis: ${cases.generated} cases, ${failures.length} failures in ${longSeconds} s`);
  expect({ failures, errors }, printed.slice(0, 10_000)).toEqual({ failures: [], errors: [] });
  expect(cases.generated, printed.slice(-4_000)).toBeGreaterThan(300);
  const states = Object.values(phases).map(({ status }) => status);
  expect(states, printed.slice(-4_000)).toEqual(["success", "success", "success", "success"]);
});

interface Report {
  readonly test_cases: { readonly generated: number };
  readonly failures: readonly unknown[];
  readonly errors: readonly unknown[];
  readonly phases: Readonly<Record<string, { readonly status: string }>>;
}

/** With limits that a run does not meet: what they answer is tested elsewhere. */
async function serve(context: Pick<TestContext, "onTestFinished">, folder: string): Promise<ControlPlane> {
  const plenty = 1_000_000;
  const plane = await startControlPlane({
    rules: [],
    catalog: [],
    mesh: defaultMeshSettings,
    store: { kind: "sqlite", folder },
    apiLimits: {
      ...{ requestsPerSecond: plenty, requestBurst: plenty, watchers: plenty, watchersPerToken: plenty },
      ...{ heartbeatsPerSecond: plenty, heartbeatBurst: plenty },
    },
    failedAttempts: { perSecond: plenty, burst: plenty },
    xds: loopback,
    api: loopback,
    metrics: loopback,
    log: createLog({ level: "silent", format: "json", write: () => {} }),
  });
  context.onTestFinished(() => plane.stop());
  return plane;
}

/** Lists of thousands of items take minutes to make, so the bounds of long lists are left out of what cases are made of. */
function withoutLargeBounds(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withoutLargeBounds);
  if (typeof part !== "object" || part === null) return part;
  const kept = Object.entries(part).filter(
    ([name, value]) => !(["maxItems", "maxProperties"].includes(name) && typeof value === "number" && value > 100),
  );
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutLargeBounds(value)]));
}
