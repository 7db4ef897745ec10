import { expect, test } from "vitest";
import { createApp } from "../../src/api/http.ts";
import type { Role } from "../../src/api/types/access.ts";
import type { RegistryView } from "../../src/api/types/registries.ts";
import { as, clock, ports, silent, version } from "./fixture.ts";

const registry = (name: string, precedence: number, part: Partial<RegistryView> = {}): RegistryView => ({
  name,
  kind: name,
  precedence,
  state: "LIVE",
  since: "2026-11-22T08:00:00.000Z",
  services: 3,
  instances: 9,
  problems: [],
  ...part,
});

const known = [registry("rest", 2), registry("kubernetes", 1, { state: "SUSPECT" })];

function start() {
  const decided: string[] = [];
  const decide = (decision: string) => (name: string, by: string) => {
    decided.push(`${decision} ${name} ${by}`);
    return known.find((each) => each.name === name);
  };
  const app = createApp({
    ports: ports({ registries: { list: () => known, hold: decide("hold"), release: decide("release") } }),
    ...{ log: silent, clock, version },
  });
  const ask = async (method: "GET" | "POST", path: string, role: Role = "editor") => {
    const url = `/api/v1/registries${path}`;
    const answer = await app.inject({ method, url, headers: { host: "localhost", ...as(role) } });
    return { status: answer.statusCode, body: answer.json() };
  };
  return { ask, decided };
}

test("the list is in the order in which they count, and by state", async () => {
  const { ask } = start();
  expect((await ask("GET", "", "viewer")).body).toEqual({ items: [known[1], known[0]], total: 2 });
  expect((await ask("GET", "?state=SUSPECT")).body).toEqual({ items: [known[1]], total: 1 });
  expect(await ask("GET", "?state=DOWN")).toMatchObject({ status: 400, body: { code: "api/invalid-query" } });
});

test("one of them", async () => {
  const { ask } = start();
  expect(await ask("GET", "/rest", "viewer")).toEqual({ status: 200, body: known[0] });
});

test.each(["hold", "release"])("%s: who may change rules decides, by name", async (decision) => {
  const { ask, decided } = start();
  expect(await ask("POST", `/rest:${decision}`)).toEqual({ status: 200, body: known[0] });
  expect((await ask("POST", `/rest:${decision}`, "viewer")).status).toBe(403);
  expect(decided).toEqual([`${decision} rest edith`]);
});

test.each([
  ["GET", "/x"],
  ["POST", "/x:hold"],
  ["POST", "/x:release"],
] as const)("%s %s: there is none, and those that there are", async (method, path) => {
  expect(await start().ask(method, path)).toMatchObject({
    status: 404,
    body: { detail: "There is no registry x.", hint: "There are rest, kubernetes." },
  });
});
