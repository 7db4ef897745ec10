import { expect, test } from "vitest";
import { fairway } from "./terminal.ts";

const fixtures = "test/cli/fixtures";

test("findings with their lines, as people see them", async () => {
  const { exit, out, err } = await fairway(`check ${fixtures}/rules --catalog ${fixtures}/catalog.yaml`);
  expect([exit, err]).toEqual([1, ""]);
  await expect(out).toMatchFileSnapshot("expected/check.txt");
});

test("the same at a terminal with colours", async () => {
  const line = `check ${fixtures}/rules --catalog ${fixtures}/catalog.yaml`;
  const coloured = await fairway(line, { terminal: { columns: 120 } });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours
  const colours = /\u001b\[[0-9]+m/g;
  expect(coloured.out.match(colours)?.length).toBeGreaterThan(20);
  const plain = await fairway(line);
  expect(coloured.out.replace(colours, "")).toBe(plain.out);
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
    expect((await fairway(line, { terminal: { columns: 120 }, env })).out).toBe(plain.out);
  }
});

test("as JSON, for scripts", async () => {
  const { exit, out } = await fairway(
    `check ${fixtures}/rules/gateway.yaml --catalog ${fixtures}/catalog.yaml -o json`,
  );
  expect(exit).toBe(0);
  expect(JSON.parse(out)).toEqual({
    documents: [
      {
        kind: "VirtualService",
        namespace: "shop",
        name: "front",
        file: `${fixtures}/rules/gateway.yaml`,
        line: 1,
        verdict: "warned",
        findings: [
          {
            code: "rule/unknown-gateway",
            severity: "warning",
            pointer: "/spec/gateways/0",
            line: 6,
            column: 14,
            message: "There is no Gateway gw in the namespace shop.",
            hint: expect.any(String),
          },
          {
            code: "rule/unknown-gateway",
            severity: "warning",
            pointer: "/spec/gateways/1",
            line: 6,
            column: 18,
            message: "There is no Gateway nowhere in the namespace shop.",
            hint: expect.any(String),
          },
          {
            code: "rule/unknown-host",
            severity: "warning",
            pointer: "/spec/http/0/route/0/destination/host",
            line: 9,
            column: 32,
            message: "No service has the host reviws.shop.svc.cluster.local.",
            hint: "Did you mean reviews.shop.svc.cluster.local?",
          },
          {
            code: "rule/unknown-subset",
            severity: "warning",
            pointer: "/spec/http/0/route/1/destination/subset",
            line: 10,
            column: 49,
            message: expect.any(String),
            hint: expect.any(String),
          },
        ],
      },
    ],
  });
});

test("no problems", async () => {
  const answer = await fairway(`check ${fixtures}/valid.yaml --catalog ${fixtures}/catalog.yaml`);
  expect(answer).toEqual({ exit: 0, out: "✓ 2 documents in 1 file: no problems\n", err: "" });
  const json = await fairway(`check ${fixtures}/valid.yaml -o json`);
  expect(JSON.parse(json.out)).toMatchObject({ documents: [{ verdict: "valid", findings: [] }, { verdict: "valid" }] });
});

test("warnings alone are no errors", async () => {
  const { exit, out } = await fairway(`check ${fixtures}/rules/gateway.yaml --catalog ${fixtures}/catalog.yaml`);
  expect([exit, out.split("\n").at(-2)]).toEqual([0, "! 1 document in 1 file: 4 warnings"]);
});

test("a catalog with problems is a document like any other", async () => {
  const { exit, out } = await fairway(`check ${fixtures}/valid.yaml --catalog ${fixtures}/broken-catalog.yaml`);
  expect(exit).toBe(1);
  await expect(out).toMatchFileSnapshot("expected/check-catalog.txt");
});

test("a path that is not there is wrong use", async () => {
  expect(await fairway("check missing/rules")).toEqual({
    exit: 2,
    out: "",
    err: "fairway: there is no file or directory missing/rules\n  Paths are relative to the current directory.\n",
  });
});
