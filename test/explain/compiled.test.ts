import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, type TestContext, test } from "vitest";
import { resourcesJson } from "../../src/cli/compiled-json.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { type ProxyResources, resourcesIn } from "../../src/envoy/proxy-resources.ts";
import { explain } from "../../src/explain/explain.ts";
import { nowhere } from "../../src/explain/places.ts";
import { type Semantics, semanticsOf } from "../../src/explain/semantics.ts";
import { type EnvoyLine, envoyBinary, envoyLines } from "../support/envoy.ts";
import { announceSeed, fuzzCount, fuzzSeed } from "../support/fuzz.ts";
import { createRandom, type Random } from "../support/random.ts";
import { withCleanup } from "../support/with-cleanup.ts";
import { type AskedSidecar, askedSidecar, type Seen } from "./asked-sidecar.ts";
import { type Call, questionOf } from "./call.ts";
import { callsNear } from "./call-near.ts";
import type { Parts } from "./configuration.ts";
import { allDeciders, decidersOf } from "./deciders.ts";
import { addressesIn, meshText, type RandomMesh, randomMesh } from "./random-mesh.ts";
import { toldOf } from "./told-call.ts";

/*
 * What the compiler makes for the sidecars of random meshes, beside a real Envoy: calls to where its listeners are, or beside, go
 * where `explain` says that they go.
 */

const callsPerSidecar = 50;

interface Tally {
  cases: number;
  readonly deciders: Map<string, number>;
}

/** A sidecar with what it gets; `json`: the same. */
interface Sidecar {
  readonly mesh: RandomMesh;
  readonly resources: ProxyResources;
  readonly json: Parts;
}

function randomSidecar(random: Random): Sidecar {
  const mesh = randomMesh(random);
  const set = createCompiler().compileFor(mesh.world, mesh.node);
  const broken = set.repairs.filter(({ kind }) => kind === "broken");
  if (broken.length > 0) throw new Error([JSON.stringify(broken), ...meshText(mesh)].join("\n"));
  return { mesh, resources: resourcesIn(set), json: resourcesJson(set) as Record<keyof Parts, readonly JsonObject[]> };
}

async function compare(context: TestContext, line: EnvoyLine, cases: number, tally: Tally): Promise<void> {
  const binary = await envoyBinary(context, line);
  // Meshes stay what they are when the compiler makes something else of them.
  const meshes = createRandom(fuzzSeed + envoyLines.indexOf(line));
  const calling = createRandom(fuzzSeed + envoyLines.indexOf(line));
  const semantics = semanticsOf(`${line}.0`);
  while (tally.cases < cases) {
    const sidecar = randomSidecar(meshes);
    const { mesh, resources, json } = sidecar;
    const callable = { resources, addresses: addressesIn(mesh.world).all, own: mesh.node.addresses };
    const calls = callsNear(calling, callable, callsPerSidecar);
    // Without interception and rules it has no listeners.
    if (calls.length === 0) continue;
    await withCleanup(async (cleanup) => {
      const envoy = await askedSidecar(binary, json, cleanup).catch((cause: unknown) => {
        throw new Error(["Envoy does not take this:", ...meshText(mesh)].join("\n"), { cause });
      });
      compareCalls(sidecar, await played(calls, envoy), { semantics, tally });
    });
  }
}

interface Played {
  readonly call: Call;
  readonly there: Seen;
}

async function played(calls: readonly Call[], envoy: AskedSidecar): Promise<readonly Played[]> {
  for (const call of calls) await envoy.ask(call);
  const seen = await envoy.end();
  return calls.map((call) => ({ call, there: seen.get(call.source.port) ?? {} }));
}

interface Comparing {
  readonly semantics: Semantics;
  readonly tally: Tally;
}

function compareCalls(sidecar: Sidecar, all: readonly Played[], { semantics, tally }: Comparing): void {
  const { mesh, resources } = sidecar;
  const { virtual } = addressesIn(mesh.world);
  for (const { call, there } of all) {
    const explanation = explain({ resources, locate: nowhere }, questionOf(call), semantics);
    const here = toldOf(explanation, call);
    if (!here.some((one) => isSame(one, there))) throw new Error(disagreement(sidecar, call, here, there));
    tally.cases++;
    for (const kind of decidersOf({ call, explanation, resources, virtual })) {
      tally.deciders.set(kind, (tally.deciders.get(kind) ?? 0) + 1);
    }
  }
}

const seenText = (seen: Seen): string => JSON.stringify(Object.entries(seen).sort());

const isSame = (a: Seen, b: Seen): boolean => seenText(a) === seenText(b);

/** The call, both answers, the mesh, and the listeners that are spoken of. */
function disagreement({ mesh, json }: Sidecar, call: Call, here: readonly Seen[], there: Seen): string {
  const { listeners = [], routes = [] } = json;
  const named = new Set([...here, there].map(({ listener }) => listener));
  return [
    JSON.stringify(call),
    `Envoy: ${seenText(there)}; here: ${here.map(seenText).join(", or ")}`,
    ...meshText(mesh),
    ...listeners.filter(({ name }) => named.has(String(name))).map((listener) => JSON.stringify(listener)),
    ...routes.map(({ name, virtualHosts }) => `${name} ${JSON.stringify(virtualHosts)}`),
  ].join("\n");
}

describe.each(envoyLines)("Envoy %s", (line) => {
  test("takes every call where we say, as a sidecar of a random mesh", { timeout: 3_600_000 }, async (context) => {
    const cases = fuzzCount(250_000);
    announceSeed("calls through sidecars of random meshes", cases);
    const tally: Tally = { cases: 0, deciders: new Map() };
    await compare(context, line, cases, tally);
    const share = (kind: string): number => (tally.deciders.get(kind) ?? 0) / tally.cases;
    const percent = (kind: string): string => `${(100 * share(kind)).toFixed(1).padStart(5)} %`;
    console.info(allDeciders.map((kind) => `${percent(kind)}  ${kind}`).join("\n"));
    const rare = allDeciders.filter((kind) => share(kind) < 0.02);
    expect(rare, "decided less than two calls in a hundred").toEqual([]);
  });
});
