import { join } from "node:path";
import { expect, type TestContext } from "vitest";
import { startDev, temporaryFolder } from "../support/dev.ts";
import { envoyBinary } from "../support/envoy.ts";
import { keepRunning, printedBy, shellEnv } from "../support/shell.ts";
import { waitFor } from "../support/wait-for.ts";
import { write } from "./example-folder.ts";
import { blocksOf, pageAt, type Step, stepsOf } from "./pages.ts";

const page = pageAt("docs/canary.md");

/** Traffic moves a moment after a change: these may look again. */
const looks = ({ command }: Step): boolean => /^(?:curl http|curl -H|for |npx fairway get )/.test(command);

/** Without what differs from one time to the next: ages, shares, the other canary, and who was asked at which moment. */
const masked = (text: string): string =>
  text
    .replace(/ \d+[smh]\b/g, " #s")
    .replace(/\breviews v[12]/g, "reviews v#")
    .replace(/^ *\d+ (?=ratings v)/gm, "# ")
    .replace(/[01]\/1(?=.* changed$)/gm, "#/1")
    .replace(/(?<=\S) {2,}/g, "  ");

/** Does what docs/canary.md says, beside a real `fairway dev`, and compares what is printed with what the page shows. */
export async function followCanaryPage(context: TestContext): Promise<void> {
  const { path } = await envoyBinary(context);
  const cwd = temporaryFolder(context);
  for (const { info, text } of blocksOf(page)) if (info.startsWith("mine/")) await write(join(cwd, info), text);
  const env = { ...shellEnv(cwd), ENVOY_BIN: path, FAIRWAY_ENVOY: "process" };
  const dev = await startDev({ context, env, dir: join(cwd, "fairway-dev") });
  const [, gateway = ""] = await dev.says(/curl http:\/\/(\S+)\/\n/);
  const [, api = ""] = await dev.says(/API +http:\/\/([\d.:]+)\//);
  await dev.says(/Stop {3}Ctrl-C\n\n/);

  // The page's ports may be taken here.
  const here = (text: string): string => text.replaceAll("127.0.0.1:8080", gateway).replaceAll("127.0.0.1:15080", api);
  const terminal = { ...env, FAIRWAY_SERVER: api };
  const run = ({ command }: Step): Promise<string> => printedBy(here(command), cwd, terminal);
  let watched: { readonly step: Step; readonly printed: () => string } | undefined;
  for (const step of stepsOf(page)) {
    if (step.info === "goes on") {
      watched = { step, printed: await keepRunning({ line: step.command, cwd, env: terminal, context }) };
      const lines = step.shown.trimEnd().split("\n").length;
      await waitFor(() => watched?.printed().split("\n").length === lines, { what: "the list of the watch" });
      continue;
    }
    let printed = await run(step);
    for (let tries = 0; looks(step) && masked(printed) !== masked(step.shown) && tries < 20; tries++) {
      printed = await run(step);
    }
    expect(`$ ${step.command}\n${masked(printed)}`).toBe(`$ ${step.command}\n${masked(step.shown)}`);
    if (step.command.includes("PATCH")) expect(await run(step)).toBe("412\n");
  }
  const { step, printed } = watched ?? expect.fail("the page watches nothing");
  await waitFor(() => masked(printed()).startsWith(masked(step.shown)), { what: "the change that is watched" });
}
