import { expect, test } from "vitest";
import { kinds, manyOf } from "../../src/api/rule-docs.ts";

test("several of a kind, as names of operations say it", () => {
  expect(kinds.map(manyOf)).toEqual(["VirtualServices", "DestinationRules", "Gateways", "ServiceEntries", "Sidecars"]);
});
