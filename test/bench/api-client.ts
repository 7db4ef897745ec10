import { setTimeout as delay } from "node:timers/promises";
import { exampleRule, exampleRulePath } from "./example-rules.ts";

/*
 * The client half of the API's bench: `api-client.ts URL TOKEN load|requests RULES SHARE`. Sends lists of
 * milliseconds. `SHARE`: what the changed rules say; another one, and each PUT is a change.
 */

const [, , base = "", token = "", task = "", countText = "0", share = "1"] = process.argv;
const count = Number(countText);
const perChange = 500;
const yaml = { "content-type": "application/yaml" };

async function request(path: string, init: RequestInit = {}): Promise<void> {
  const headers = { ...init.headers, authorization: `Bearer ${token}` };
  const response = await fetch(new URL(path, base), { ...init, headers });
  const body = await response.text();
  if (!response.ok) throw new Error(`${init.method ?? "GET"} ${path}: ${response.status} ${body.slice(0, 1_000)}`);
}

async function timed(times: number, send: (index: number) => Promise<void>): Promise<readonly number[]> {
  const took: number[] = [];
  for (let index = 0; index < times; index++) {
    const begun = performance.now();
    await send(index);
    took.push(performance.now() - begun);
  }
  return took;
}

const documents = (first: number) =>
  Array.from({ length: Math.min(perChange, count - first) }, (_, i) => exampleRule(first + i, 50)).join("---\n");

/** Not in a row: no two writes are neighbours in any list. */
const spread = (index: number) => (index * 7_919) % count;

const tasks: Readonly<Record<string, () => Promise<object>>> = {
  load: async () => ({
    load: await timed(Math.ceil(count / perChange), (index) =>
      request("/api/v1/changesets", {
        method: "POST",
        headers: yaml,
        body: documents(index * perChange),
      }),
    ),
  }),
  requests: async () => ({
    page: await timed(200, (index) => request(`/api/v1/namespaces/ns-${index % 20}/virtualservices?limit=100`)),
    whole: await timed(200, () => request("/api/v1/virtualservices?limit=100")),
    selected: await timed(100, (index) =>
      request(`/api/v1/virtualservices?limit=100&labelSelector=team%3Dt${index % 10}`),
    ),
    apply: await timed(300, async (index) => {
      const rule = spread(index);
      await request(exampleRulePath(rule), {
        method: "PUT",
        headers: yaml,
        body: exampleRule(rule, Number(share)),
      });
    }),
    read: await timed(300, (index) => request(exampleRulePath(spread(index)))),
  }),
};

process.send?.("ready");
// The server starts to watch its own event loop.
await delay(100);
process.send?.((await tasks[task]?.()) ?? {});
process.disconnect();
