import { expect, test } from "vitest";
import type { RegistryView } from "../../src/api/types/registries.ts";
import { page, problem, startApi } from "./api-server.ts";
import { at } from "./rules.ts";
import { fairway } from "./terminal.ts";

const registry = (name: string, precedence: number, part: Partial<RegistryView> = {}): RegistryView => ({
  name,
  kind: name,
  precedence,
  state: "LIVE",
  since: at(7_200),
  services: 3,
  instances: 9,
  problems: [],
  ...part,
});

const heldProblem = { code: "catalog/held", message: "Not reported any more.", hint: "Release it." };

const several: readonly RegistryView[] = [
  registry("kubernetes", 1, {
    state: "SUSPECT",
    since: at(12),
    services: 40,
    instances: 400,
    hold: { by: "anna", since: at(190) },
    held: {
      services: 12,
      instances: 270,
      until: at(-48),
      items: [
        { host: "details.shop.svc.cluster.local", namespace: "shop", reason: "emptied", held: 3, served: 3 },
        { host: "old.shop.svc.cluster.local", namespace: "shop", reason: "gone", held: 2, served: 2 },
        { host: "ratings.shop.svc.cluster.local", namespace: "shop", reason: "operator", held: 1, served: 4 },
        { host: "reviews\u001b[2J.shop.svc.cluster.local", namespace: "shop", reason: "shrunk", held: 9, served: 10 },
      ],
    },
    problems: [heldProblem],
  }),
  registry("file", 2, {
    state: "OUTAGE",
    since: at(65),
    asOf: at(65),
    problems: [
      {
        code: "catalog/invalid",
        message: "The field port is missing.",
        hint: "Write one.",
        file: "c.yaml",
        line: 3,
        column: 5,
      },
    ],
  }),
  registry("consul", 3, { state: "INITIAL", since: at(5), services: 0, instances: 0 }),
  registry("rest", 4),
];

test("as a table, with what is held and what is wrong", async () => {
  const { flag } = await startApi({ "GET /api/v1/registries": () => page(several) });
  const { exit, out, err } = await fairway(`registries ${flag}`);
  expect([exit, err]).toEqual([0, ""]);
  await expect(out).toMatchFileSnapshot("expected/registries.txt");
});

test("as JSON", async () => {
  const { flag } = await startApi({ "GET /api/v1/registries": () => page(several) });
  expect(JSON.parse((await fairway(`registries -o json ${flag}`)).out)).toEqual({ items: several });
});

test.each([
  ["hold", "file is on hold: nothing of it goes until it is released\n"],
  ["release", "file is released: what it reports counts\n"],
])("%s", async (decision, told) => {
  const path = `POST /api/v1/registries/file:${decision}`;
  const { flag, seen } = await startApi({ [path]: () => ({ json: registry("file", 1) }) });
  expect(await fairway(`registries ${decision} file ${flag}`)).toMatchObject({ exit: 0, out: told });
  expect(JSON.parse((await fairway(`registries ${decision} file -o json ${flag}`)).out)).toEqual(registry("file", 1));
  expect(seen).toHaveLength(2);
});

test("what it cannot do", async () => {
  const { flag } = await startApi({
    "POST /api/v1/registries/x:hold": () => problem(404, "There is no registry x.", { hint: "There are file, rest." }),
  });
  expect(await fairway(`registries hold x ${flag}`)).toMatchObject({
    exit: 1,
    err: "fairway: There is no registry x.\n  There are file, rest.\n",
  });
  expect(await fairway("registries hold")).toMatchObject({
    exit: 2,
    err: "fairway: which registry is to be held?\n  `fairway registries` lists them; for example `fairway registries hold kubernetes`.\n",
  });
  expect(await fairway("registries drop file")).toMatchObject({
    exit: 2,
    err: 'fairway: expected hold or release, found "drop"\n  `fairway registries` alone lists them.\n',
  });
});
