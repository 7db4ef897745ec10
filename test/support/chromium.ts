import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { startChild } from "../../src/app/child.ts";
import { executableOnPath } from "../../src/app/envoy/executable.ts";
import { realPart } from "./real-part.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"] as const;

const flags = [
  ...["--headless=new", "--disable-gpu", "--no-first-run", "--no-default-browser-check"],
  // Tests run as root in containers too, where there is neither a sandbox nor much shared memory; it sees our own pages alone.
  ...["--no-sandbox", "--disable-dev-shm-usage"],
  ...["--no-proxy-server", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

export interface Browser {
  /** What it printed so far. */
  readonly said: readonly string[];
  /** Rejects when it ends by itself. */
  readonly ended: Promise<never>;
}

/** A Chromium (`CHROMIUM_BIN`, else from the PATH) with this page, for one test; without one the test is skipped (in CI: fails). */
export async function openInBrowser(
  context: Pick<TestContext, "skip" | "onTestFinished">,
  url: string,
): Promise<Browser> {
  const command = await realPart(context, "Chromium", async () => findChromium(process.env));
  const dir = mkdtempSync(join(tmpdir(), "fairway-browser-"));
  const said: string[] = [];
  const args = [...flags, `--user-data-dir=${dir}`, url];
  const child = await startChild({
    command,
    args,
    env: { ...process.env, HOME: dir },
    onLine: (line) => said.push(line),
  });
  context.onTestFinished(async () => {
    await child.stop({ graceMs: 3_000 });
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  const ended = child.exited.then(({ code }) => {
    throw new Error(`the browser ended with ${code}: ${said.slice(-10).join("\n")}`);
  });
  // Who waits for it hears of it; at the end of a test nobody does.
  ended.catch(() => {});
  return { said, ended };
}

function findChromium(env: NodeJS.ProcessEnv): string {
  const found = env["CHROMIUM_BIN"] ?? names.map((name) => executableOnPath(name, env["PATH"])).find(Boolean);
  if (found === undefined) throw new Error(`none of ${names.join(", ")} is on the PATH, and CHROMIUM_BIN is not set`);
  return found;
}
