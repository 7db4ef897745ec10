import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allCases } from "./cases/all.ts";
import { planCells } from "./cells.ts";
import { attempt, type CellResult, runSuite } from "./run-suite.ts";
import { planned, type StatementId, statements } from "./statements.ts";
import { createFairwayTarget } from "./targets/fairway.ts";
import { createNaiveTarget } from "./targets/naive.ts";

setLogVerbosity(logVerbosity.NONE);

/** Most of a cell's time is silence, so many run at once. */
const concurrency = 48;

describe("fairway", () => {
  const target = createFairwayTarget();
  const plans = planCells(allCases, target);
  const cells = plans.flatMap(({ cell, notApplicable }) => (notApplicable === undefined ? [cell] : []));
  let results: ReadonlyMap<string, CellResult> = new Map();

  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the parameter's pattern, and takes no other
  beforeAll(async ({}, suite) => {
    // Of what `-t` leaves out nothing is run.
    const selected = new Set(suite.tasks.filter(({ mode }) => mode === "run").map(({ name }) => name));
    const isSelected = (id: string): boolean => selected.has(id);
    const all = await runSuite({ target, cases: allCases, expectations: [], isSelected, concurrency });
    results = new Map(all.map((result) => [result.cell.id, result]));
  }, 600_000);
  afterAll(() => target.close());

  test.each(cells.map(({ id }) => id))("%s", (id) => {
    const { outcome, reason } = results.get(id) ?? {};
    expect(outcome, reason).toBe("pass");
  });

  test("nothing is left out but what does not exist", () => {
    const reasons = plans.flatMap(({ notApplicable }) => notApplicable ?? []);
    expect([...new Set(reasons)]).toEqual(["VHDS exists only in the delta form"]);
  });
});

test("cells have names of their own", () => {
  const ids = planCells(allCases, createFairwayTarget()).map(({ cell }) => cell.id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("there are 100 statements, and cases speak of no others, nor of planned ones", () => {
  const ids = new Set<StatementId>(statements.map(([id]) => id));
  expect(ids.size).toBe(100);
  expect(allCases.filter(({ statement }) => !ids.has(statement) || planned.has(statement))).toEqual([]);
});

test("a server that is wrong is found out, and for what it does right it is not blamed", async () => {
  const target = createNaiveTarget();
  const wanted: Readonly<Record<string, "pass" | "fail">> = {
    "STR-04/ads-sotw/CDS/nothing comes before the first request": "pass",
    "ACK-02/ads-sotw/CDS/an ACK is met with silence": "pass",
    // Its nonce is its version, and says nothing of what is sent.
    "ACK-01/ads-sotw/CDS/a nonce of an earlier stream in a first request is ignored": "fail",
    // It answers every NACK again.
    "ACK-04/ads-sotw/CDS/a NACK of one resource is met with silence": "fail",
    "ACK-04/ads-sotw/CDS/the same NACK 100 times is met with silence": "fail",
    "STR-02/ads-sotw/CDS/no node in the first request: INVALID_ARGUMENT, and the next stream works": "fail",
  };
  const plans = planCells(allCases, target).filter(({ cell }) => wanted[cell.id] !== undefined);
  const results = await Promise.all(plans.map(({ cell }) => attempt(target, cell)));
  expect(Object.fromEntries(results.map(({ cell, outcome }) => [cell.id, outcome]))).toEqual(wanted);
});
