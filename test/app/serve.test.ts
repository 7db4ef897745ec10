import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { type Child, type Exit, startChild } from "../../src/app/child.ts";
import { temporaryFolder } from "../support/dev.ts";
import { goldenFolder } from "../support/golden.ts";
import { isOpen } from "../support/process.ts";
import { waitFor } from "../support/wait-for.ts";
import { connectXds } from "../support/xds-client.ts";

const main = join(import.meta.dirname, "../../src/app/main.ts");
const holdStream = join(import.meta.dirname, "../support/hold-stream.ts");
const golden = join(goldenFolder, "canary-weights");
const node = { id: "sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local" };

interface Serving {
  readonly child: Child;
  readonly lines: readonly Record<string, unknown>[];
  readonly exit: Promise<Exit>;
  readonly said: (msg: string) => Promise<Record<string, unknown>>;
}

async function serve({ onTestFinished }: TestContext, ...args: readonly string[]): Promise<Serving> {
  const dir = temporaryFolder({ onTestFinished });
  const lines: Record<string, unknown>[] = [];
  const where = ["--xds", "127.0.0.1:0", "--api", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
  const child = await startChild({
    command: process.execPath,
    args: [
      main,
      "serve",
      "--rules",
      join(golden, "rules.yaml"),
      "--catalog",
      join(golden, "catalog.yaml"),
      "--data",
      join(dir, "data"),
      ...where,
      ...args,
    ],
    env: { ...process.env, XDG_CONFIG_HOME: join(dir, "config") },
    onLine: (line) => lines.push(line.startsWith("{") ? JSON.parse(line) : { text: line }),
  });
  onTestFinished(async () => {
    await child.stop({ graceMs: 0 });
  });
  const said = (msg: string) =>
    waitFor(() => lines.find((line) => line["msg"] === msg), { withinMs: 20_000, what: msg });
  return { child, lines, exit: child.exited, said };
}

test("speaks JSON when it is not at a terminal, and says where it listens", async (context) => {
  const { said, lines } = await serve(context);
  const serving = await said("serving");
  expect(serving).toMatchObject({ level: "info", xds: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
  expect(lines.every((line) => typeof line["time"] === "string")).toBe(true);
  const answer = await fetch(`http://${serving["metrics"]}/readyz`);
  expect(answer.status).toBe(200);
});

test("tells of its process under the names that are usual", async (context) => {
  const { said } = await serve(context);
  const { metrics } = await said("serving");
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  for (const name of ["process_cpu_seconds_total", "process_resident_memory_bytes", "nodejs_eventloop_lag_p99_seconds"])
    expect(text).toMatch(new RegExp(`^${name} [0-9.e-]+$`, "m"));
});

describe("SIGTERM", () => {
  test("drains: streams end with OK, then the process with 0 and its ports are free", async (context) => {
    const { said, child, exit } = await serve(context);
    const { xds, api } = (await said("serving")) as { xds: string; api: string };
    const client = connectXds(Number(xds.split(":")[1]));
    context.onTestFinished(() => client.close());
    const stream = client.openDelta();
    stream.send("CDS", { node });
    await stream.accept("CDS");
    process.kill(child.pid, "SIGTERM");
    expect((await stream.status()).code).toBe(0);
    expect(await exit).toEqual({ code: 0, signal: null });
    expect([await isOpen(xds), await isOpen(api)]).toEqual([false, false]);
  });

  test("and once more: ends at once", async (context) => {
    const { said, child, exit } = await serve(context);
    const { xds } = (await said("serving")) as { xds: string };
    // A peer that is stopped never closes its connection: the drain waits for it.
    const peerLines: string[] = [];
    const peer = await startChild({
      command: process.execPath,
      args: [holdStream, xds.split(":")[1] ?? ""],
      onLine: (line) => peerLines.push(line),
    });
    context.onTestFinished(async () => {
      await peer.stop({ graceMs: 0 });
    });
    await waitFor(() => peerLines.includes("holding"), { what: "the peer's stream" });
    process.kill(peer.pid, "SIGSTOP");
    process.kill(child.pid, "SIGTERM");
    await said("draining; once more ends at once");
    process.kill(child.pid, "SIGTERM");
    expect(await exit).toEqual({ code: 1, signal: null });
  });
});

test("a port that is taken is an error with the address, and nothing is left behind", async (context) => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  context.onTestFinished(() => void other.close());
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { exit, lines } = await serve(context, "--xds", `127.0.0.1:${port}`);
  expect((await exit).code).toBeGreaterThan(0);
  const text = lines.map((line) => String(line["text"] ?? line["msg"])).join("\n");
  expect(text).toContain(`127.0.0.1:${port}`);
  expect(text).not.toContain("    at ");
});
