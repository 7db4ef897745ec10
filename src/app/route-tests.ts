import type { BrokenTest } from "../api/ports.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { memoize } from "../base/memo.ts";
import { createTurns } from "../base/turns.ts";
import { watchFiles } from "../base/watch-files.ts";
import { readSuites, type SuiteDocument } from "../cli/route-test-files.ts";
import { suiteNode } from "../cli/suite-node.ts";
import { createCompiler } from "../compile/compile.ts";
import { workloadIn } from "../compile/dialled.ts";
import { type Profile, profileKey, profileOf } from "../compile/profile.ts";
import { createWorld, type World } from "../compile/world.ts";
import type { ChangedRules } from "../config/change.ts";
import { resourcesIn } from "../envoy/proxy-resources.ts";
import { answerTo } from "../explain/answer.ts";
import { mismatchesOf } from "../explain/mismatches.ts";
import { type Configuration, nowhere } from "../explain/places.ts";
import type { RouteTest } from "../explain/route-test.ts";
import { type Semantics, semanticsOfClient } from "../explain/semantics.ts";
import type { Catalog } from "../model/catalog.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { ProxyNode } from "../model/proxy.ts";

export interface RouteTestsOptions {
  /** Files of tests; watched. */
  readonly paths: readonly string[];
  /** What is there now; without a catalog nobody can say where requests go. */
  readonly present: () => { readonly rules: World["rules"]; readonly catalog: Catalog | undefined };
  readonly mesh: MeshSettings;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tests of where requests go, which a change must not break. */
export interface RouteTests {
  /** Those that hold now, and would not after a change of these rules. */
  readonly brokenBy: (changed: ChangedRules) => readonly BrokenTest[];
  readonly close: () => Promise<void>;
}

interface Suite extends SuiteDocument {
  readonly node: ProxyNode;
}

/** Throws `usage/invalid` when the files cannot be read now; when that happens later, the tests that were read last stay. */
export async function openRouteTests({ paths, present, mesh, clock, log }: RouteTestsOptions): Promise<RouteTests> {
  let suites = await load(paths);
  const turns = createTurns();
  const watch = await watchFiles({ paths, clock, log, onChange: () => void turns.alone(reload) });
  const reload = async (): Promise<void> => {
    try {
      suites = await load(paths);
      log.info({ tests: suites.reduce((sum, { suite }) => sum + suite.tests.length, 0) }, "route tests read");
    } catch (err) {
      log.error({ err }, "cannot read the route tests; those from before stay");
    }
  };
  const compiler = createCompiler();
  const profileFor = keepProfiles();
  const judged = memoize((rules: World["rules"], catalog: Catalog, all: readonly Suite[]): readonly Verdict[] =>
    all.flatMap((suite) => {
      const world = createWorld(catalog, { rules, revision: 0 }, [], mesh);
      const configuration = {
        resources: resourcesIn(compiler.compile(world, profileFor(world, suite))),
        locate: nowhere,
        workload: workloadIn(world, suite.node),
      };
      const semantics = semanticsOfClient(suite.node.client);
      return suite.suite.tests.map((test, index) => verdictOn({ suite, test, index }, configuration, semantics));
    }),
  );
  return {
    brokenBy(changed) {
      const { rules, catalog } = present();
      if (catalog === undefined) return [];
      const before = judged(rules, catalog, suites);
      const after = judged(rules.with(changed), catalog, suites);
      return after.filter((verdict, i) => verdict.broken !== undefined && before[i]?.broken === undefined).map(toldOf);
    },
    close: () => watch.close(),
  };
}

/** The very profile of the last time, where it is equal: then a compiler goes on from its last result. */
function keepProfiles(): (world: World, suite: Suite) => Profile {
  const last = new WeakMap<Suite, Profile>();
  return (world, suite) => {
    const made = profileOf(world, suite.node);
    const before = last.get(suite);
    if (before !== undefined && profileKey(before) === profileKey(made)) return before;
    last.set(suite, made);
    return made;
  };
}

const load = async (paths: readonly string[]): Promise<readonly Suite[]> =>
  paths.length === 0
    ? []
    : Promise.all(
        (await readSuites(paths)).map(async (document) => ({ ...document, node: await suiteNode(document) })),
      );

interface PlacedTest {
  readonly suite: Suite;
  readonly test: RouteTest;
  readonly index: number;
}

interface Verdict extends PlacedTest {
  /** undefined: it holds. `pointer`: into what is expected. */
  readonly broken: { readonly pointer: string; readonly message: string } | undefined;
}

function verdictOn(placed: PlacedTest, configuration: Configuration, semantics: Semantics): Verdict {
  const { request, expect } = placed.test;
  const answer = answerTo(configuration, request.question, semantics);
  const broken =
    answer.kind === "told"
      ? mismatchesOf(expect, answer.explanation)[0]
      : { pointer: "", message: answer.message.replace(/\.$/, "") };
  return { ...placed, broken };
}

function toldOf({ suite: { file, locate }, test: { name }, index, broken }: Verdict): BrokenTest {
  const { pointer = "", message = "" } = broken ?? {};
  const { line, column } = locate(`/tests/${index}/expect${pointer}`);
  return { name, message: `${message}.`, source: { file, line, column } };
}
