import { expect, test } from "vitest";
import type { Clock } from "../../src/base/clock.ts";
import type { PreparedChange, ProposedChange } from "../../src/config/change.ts";
import { createPrepare } from "../../src/config/prepare-in-turn.ts";
import { ruleKey } from "../../src/config/rule.ts";
import type { ChangeOutcome } from "../../src/config/store.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { change, openStore, put, service } from "./store-support.ts";
import { virtualService } from "./support.ts";

const subsets = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec: {host: reviews, subsets: [{name: v2, labels: {version: v2}}]}
`;
const route = virtualService("a", { host: "reviews" }).replace("host: reviews", "host: reviews, subset: v2");

const proposed = (part: Partial<ProposedChange>): ProposedChange => ({
  ...{ puts: [], deletes: [], by: "ann", allowDangling: false },
  ...part,
});
const write = (text: string): ProposedChange => proposed({ puts: [{ text, format: "yaml", expect: { kind: "any" } }] });
const removal = proposed({
  deletes: [{ key: ruleKey("DestinationRule", "default", "reviews"), expect: { kind: "any" } }],
});

async function setUp(context: Parameters<typeof openStore>[0], clock: Clock = createFakeClock()) {
  const { store } = await openStore(context);
  const prepare = createPrepare(
    () => ({
      ruleSet: store.ruleSet.value,
      ownerOf: () => undefined,
      isOvershadowed: () => false,
      catalog: undefined,
      mesh: defaultMeshSettings,
    }),
    clock,
  );
  const apply = (change: ProposedChange): Promise<string> =>
    prepare(change, async (prepared: PreparedChange): Promise<string> => {
      if (!prepared.ok) return prepared.refusal;
      const outcome: ChangeOutcome = await store.write(prepared.change);
      return outcome.kind;
    });
  return { store, prepare, apply };
}

test.for([
  ["the reference first", [write(route), removal]],
  ["the deletion first", [removal, write(route)]],
] as const)("a reference and the deletion of what it refers to, at once: %s counts", async ([, changes], context) => {
  const { store, apply } = await setUp(context);
  await store.write(change([put(subsets)]));
  expect(await Promise.all(changes.map(apply))).toEqual(["written", "dangling"]);
});

test("changes that only refer to things are written together", async (context) => {
  const { prepare, store } = await setUp(context);
  let present = 0;
  let most = 0;
  await Promise.all(
    ["a", "b", "c"].map((name) =>
      prepare(write(virtualService(name)), async (prepared) => {
        most = Math.max(most, ++present);
        if (prepared.ok) await store.write(prepared.change);
        present--;
      }),
    ),
  );
  expect(most).toBe(3);
  expect(store.documents()).toHaveLength(3);
});

test("others have their turn while a large change is decoded", async (context) => {
  const fake = createFakeClock();
  // Each look at the time takes three milliseconds.
  const clock: Clock = {
    ...fake,
    monotonic: () => {
      fake.advance(3);
      return fake.monotonic();
    },
    after: (_delayMs, task) => {
      pauses++;
      setImmediate(task);
      return () => {};
    },
  };
  let pauses = 0;
  const { apply, store } = await setUp(context, clock);
  const names = Array.from({ length: 12 }, (_, n) => `r${n}`);
  const large = apply(write(names.map((name) => virtualService(name)).join("---\n")));
  expect(await apply(write(service("small").text))).toBe("written");
  expect(store.documents()).toHaveLength(1);
  expect(await large).toBe("written");
  expect(store.documents()).toHaveLength(13);
  expect(pauses).toBeGreaterThanOrEqual(3);
});
