import fc from "fast-check";
import { expect, test } from "vitest";
import type { RuleListView, RuleObjectView } from "../../src/api/types/rules.ts";
import { type OperatorsServer, reviewsRoute, routePath, startOperatorsServer } from "../support/operators-server.ts";
import { type Follower, followWatch, replay } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

/* Watches over connections that are lost, on a server that is started again. */

const yaml = "application/yaml";
const names = ["a", "b", "c"] as const;

type Step =
  | { readonly kind: "put"; readonly name: string; readonly mark: number; readonly app: string }
  | { readonly kind: "label"; readonly name: string; readonly app: string }
  | { readonly kind: "delete"; readonly name: string }
  | { readonly kind: "together"; readonly mark: number; readonly app: string }
  | { readonly kind: "cut" }
  | { readonly kind: "restart" };

const name = fc.constantFrom(...names);
const app = fc.constantFrom("x", "y");
const mark = fc.nat(2);
const step = fc.oneof<[...fc.WeightedArbitrary<Step>[]]>(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("put"), name, mark, app }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("label"), name, app }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete"), name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("together"), mark, app }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("cut") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart") }) },
);

async function run(step: Step, { admin, restart }: OperatorsServer, cut: () => void): Promise<void> {
  if (step.kind === "cut") return cut();
  if (step.kind === "restart") return restart();
  if (step.kind === "delete") await admin.remove(routePath(step.name));
  else if (step.kind === "put") {
    await admin.put(routePath(step.name), reviewsRoute(step.name, String(step.mark), { app: step.app }), yaml);
  } else if (step.kind === "label") {
    const body = JSON.stringify({ metadata: { labels: { app: step.app } } });
    const headers = { "content-type": "application/merge-patch+json" };
    await admin.send("PATCH", routePath(step.name), { headers, body });
  } else {
    const documents = names.map((name) => reviewsRoute(name, `all ${step.mark}`, { app: step.app }));
    expect((await admin.post("/api/v1/changesets", documents.join("---\n"), yaml)).status).toBe(200);
  }
}

/** Positions in the order in which they must come. */
const positions = ({ events }: Follower): readonly (readonly [number, number])[] =>
  events.flatMap(({ id }) => {
    const [revision, index] = (id ?? "").split(".");
    return index === undefined ? [] : [[Number(revision), Number(index)] as const];
  });

/** What an object is, without what changes without an event. */
const versions = (objects: Iterable<RuleObjectView>): readonly unknown[] =>
  [...objects]
    .map(({ metadata, spec }) => ({ metadata, spec }))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));

test("whatever is written, lost and started again: replaying a watch gives the list, and nothing came twice", {
  timeout: 60_000,
}, async (context) => {
  const server = await startOperatorsServer(context);
  const { admin, adminToken } = server;
  const watches = ["/api/v1/virtualservices", "/api/v1/namespaces/shop/virtualservices?labelSelector=app%3Dx"];
  const followers = watches.flatMap((path) =>
    [true, false].map((isRestless) => {
      const url = () => `${server.url}${path}`;
      return { path, isRestless, follower: followWatch(context, { url, token: adminToken }) };
    }),
  );
  const cut = (): void => {
    for (const { follower, isRestless } of followers) if (isRestless) follower.cut();
  };
  const isLevel = async (): Promise<boolean> => {
    // A change of a rule that no watch is left out of: all have heard of everything before it.
    const last = await admin.put(routePath("last"), reviewsRoute("last", String(level++), { app: "x" }), yaml);
    const { revision } = (JSON.parse(last.text) as RuleObjectView).metadata;
    return waitFor(() => followers.every(({ follower }) => follower.revision() >= revision));
  };
  let level = 0;
  await waitFor(() => followers.every(({ follower }) => follower.revision() === 0));

  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      for (const step of steps) await run(step, server, cut);
      expect(await isLevel()).toBe(true);
      for (const { path, follower } of followers) {
        const { items } = await admin.json<RuleListView>(path);
        expect(versions(replay(follower.events).values()), path).toEqual(versions(items));
        const came = positions(follower);
        const inOrder = came.every(([revision, index], n) => {
          const [beforeRevision, beforeIndex] = came[n - 1] ?? [0, 0];
          return revision > beforeRevision || (revision === beforeRevision && index > beforeIndex);
        });
        expect(inOrder, came.join(" ")).toBe(true);
      }
      const { revision } = await admin.json<RuleListView>("/api/v1/virtualservices");
      const everyRevision = Array.from({ length: revision }, (_, n) => n + 1);
      for (const { follower } of followers.slice(0, 2)) {
        expect([...new Set(positions(follower).map(([revision]) => revision))]).toEqual(everyRevision);
      }
    }),
    { numRuns: 12, seed: 4 },
  );
  await Promise.all(followers.map(({ follower }) => follower.stop()));
});
