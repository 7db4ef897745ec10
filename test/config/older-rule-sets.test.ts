import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { providersOf } from "../../src/config/checks/providers.ts";
import { combineRuleSets } from "../../src/config/combine-rule-sets.ts";
import { loadRuleSet } from "../../src/config/load.ts";
import { emptyRuleSet, type RuleSet } from "../../src/config/rule-set.ts";
import type { StoredDocument } from "../../src/config/store.ts";
import { nextStoreRules, noStoreRules } from "../../src/config/store-rule-set.ts";
import { key, service } from "./store-support.ts";
import { file, rulesOf, virtualService } from "./support.ts";

const changes = 20;

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
}

/** How many of the sets that were made one after the other are still in memory while the last one is in use. */
async function leftAfter(makeNext: (change: number) => RuleSet): Promise<number> {
  let last = emptyRuleSet;
  const made: WeakRef<RuleSet>[] = [];
  for (let change = 0; change < changes; change++) {
    last = makeNext(change);
    made.push(new WeakRef(last));
  }
  await nextTurn();
  collectGarbage();
  expect(last.rules.size).toBe(1);
  return made.filter((set) => set.deref() !== undefined).length;
}

function stored(change: number): StoredDocument {
  const { expect: _, ...put } = service("a", `host-${change}`);
  const stamp = { revision: change + 1, atMs: 0, by: "ann" };
  const written = { uid: "u", generation: change + 1, revision: change + 1, created: stamp, updated: stamp };
  return { ...put, ...written, key: key("a"), owner: "store" };
}

test("a rule set does not keep those before it in memory", async () => {
  let fromFiles = emptyRuleSet;
  const ofFiles = await leftAfter((change) => {
    fromFiles = loadRuleSet(fromFiles, [file("a.yaml", virtualService("a", { host: `host-${change}` }))]);
    return fromFiles;
  });
  let fromStore = noStoreRules;
  const ofStore = await leftAfter((change) => {
    fromStore = nextStoreRules(fromStore, new Map([[key("a"), stored(change)]]));
    return fromStore.ruleSet;
  });
  let combined = emptyRuleSet;
  const ofBoth = await leftAfter((change) => {
    providersOf(combined.rules, "cluster.local");
    combined = combineRuleSets(combined, [rulesOf(virtualService("a", { host: `host-${change}` }))]);
    return combined;
  });
  expect({ ofFiles, ofStore, ofBoth }).toEqual({ ofFiles: 1, ofStore: 1, ofBoth: 1 });
});
