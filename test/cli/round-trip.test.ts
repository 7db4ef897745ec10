import { expect, onTestFinished, test } from "vitest";
import { createApiServer } from "../../src/api/http.ts";
import { systemClock } from "../../src/base/clock.ts";
import { portsWithStore, ruleText, silent, version } from "../api/fixture.ts";
import { type Answer, fairway, typed } from "./terminal.ts";

/** Command lines against the API itself. */
async function atServer(): Promise<(line: string, input?: string) => Promise<Answer>> {
  const server = createApiServer({ ports: await portsWithStore(), log: silent, clock: systemClock, version });
  const port = await server.listen("127.0.0.1", 0);
  onTestFinished(() => server.close());
  const env = { FAIRWAY_SERVER: `127.0.0.1:${port}`, FAIRWAY_TOKEN: "editor", FAIRWAY_NAMESPACE: "shop" };
  return (line, input = "") => fairway(line, { env, input: typed(input) });
}

test("apply, get, diff, prune and delete against the real API", async () => {
  const run = await atServer();
  const [a, b] = [ruleText("a", { labels: "team: x" }), ruleText("b", { labels: "team: x" })];
  expect((await run("apply -f -", `${a}---\n${b}`)).out).toMatch(
    /^virtualservice\/shop\/a created\nvirtualservice\/shop\/b created\n\n2 rules: 2 created; revision 1\n$/,
  );
  expect((await run("get vs a -o yaml")).out.trim()).toBe(a.trim());
  expect((await run("get vs")).out).toMatch(/^NAME .*\na .*\nb .*\n\n2 rules\n$/);
  expect((await run("diff -f -", a)).exit).toBe(0);
  const other = a.replace("hosts: [a]", "hosts: [a.shop]");
  expect((await run("diff -f - --prune -l team=x", other)).exit).toBe(1);
  expect((await run("apply -f - --dry-run", other)).out).toMatch(/ configured; dry run, nothing was stored\n$/);
  expect((await run("apply -f - --prune -l team=x", other)).out).toMatch(
    /^virtualservice\/shop\/a configured\nvirtualservice\/shop\/b deleted\n/,
  );
  expect((await run("delete vs a b")).exit).toBe(1);
  expect((await run("delete vs a")).exit).toBe(0);
  expect((await run("get vs a")).exit).toBe(1);
  expect((await run("whoami")).out).toMatch(/^edith, editor, /);
  expect((await run("token list")).exit).toBe(2);
});

test("problems of a document have the author's places", async () => {
  const run = await atServer();
  const { exit, out, err } = await run(
    "apply -f -",
    ruleText("a").replace("  namespace: shop\n", "").replace("hosts:", "hots:"),
  );
  expect([exit, out]).toEqual([1, ""]);
  // The namespace that was put in before it moves nothing.
  expect(err).toMatch(/^stdin:8:3 +error +rule\/unknown-field +There is no field "hots"\.\n {2}8 │ {3}hots: \[a\]\n/m);
});
