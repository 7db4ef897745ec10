import { describe, expect, test } from "vitest";
import { createResourceSet, type ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import type { Offered } from "../../src/xds/push-plan.ts";
import { announceSeed, fuzzCount, fuzzSeed, shrunk } from "../support/fuzz.ts";
import { mutatedRequest } from "../support/odd-requests.ts";
import { createRandom, type Random } from "../support/random.ts";
import { wireResource } from "../support/wire-resources.ts";
import { FuzzStream } from "./fuzz-stream.ts";

/**
 * The state machines under requests of any kind and events in any order. What must be true is in `fuzz-stream.ts`. A run is a list of
 * steps, each with a seed of its own, so that steps can be left out of one that fails.
 */

const names = ["c0", "c1", "c2", "c3", "r/slash/host", "odd\u0001name"];

/** Clusters refer to endpoints; some resources have a time to live, some are there on demand only. */
const worlds: readonly ResourceSet[] = Array.from({ length: 6 }, (_, index) => {
  const random = createRandom(index);
  return createResourceSet(
    resourceTypes.flatMap(({ short }) =>
      names
        .filter(() => random.chance(0.7))
        .map((name) => ({
          ...wireResource(short, name, String(1 + random.int(2))),
          ...(random.chance(0.1) && { ttlMs: 1_000 }),
          ...(random.chance(0.1) && { onDemand: true }),
        })),
    ),
  );
});

type Act = "request" | "resources" | "written" | "room" | "timer";

const acts: readonly (readonly [weight: number, Act])[] = [
  [10, "request"],
  [2, "resources"],
  [5, "written"],
  [1, "room"],
  [2, "timer"],
];

interface Step {
  readonly act: Act;
  readonly seed: number;
}

interface Run {
  readonly seed: number;
  readonly steps: readonly Step[];
}

const singleTypes = (variant: "sotw" | "delta"): readonly TypeName[] =>
  resourceTypes.filter(({ service }) => service[variant] !== undefined).map(({ short }) => short);

function newRun(seed: number): Run {
  const random = createRandom(seed);
  const length = random.pick([3, 30, 30, 100]);
  const steps = Array.from({ length }, () => ({ act: random.weighted(acts), seed: random.int(2 ** 32) }));
  return { seed, steps };
}

/** Plays a run; throws what is wrong with it. Gives how many requests were taken, and how many refused, and what the stream leaves. */
function play(variant: "sotw" | "delta", { seed, steps }: Run, past?: Offered) {
  const random = createRandom(seed);
  const only = random.chance(0.3) ? random.pick(singleTypes(variant)) : undefined;
  const stream = new FuzzStream({ variant, only, past: random.chance(0.3) ? past : undefined });
  const took = { taken: 0, refused: 0 };
  let begun = false;
  const perform: Readonly<Record<Act, (random: Random) => void>> = {
    request(own) {
      const bytes = mutatedRequest(own, { variant, only, names, nonces: stream.nonces });
      if (stream.receive(bytes)) took.taken++;
      else took.refused++;
      begun = true;
    },
    // A session hears of resources when it knows whose they are.
    resources: (own) => begun && stream.resources(own.pick(worlds)),
    written: () => stream.write(),
    room: (own) => stream.room(own.chance(0.6)),
    timer: (own) => stream.timers.length > 0 && stream.fire(own.pick(stream.timers)),
  };
  for (const step of steps) {
    if (stream.ended) break;
    perform[step.act](createRandom(step.seed));
  }
  return { ...took, past: stream.state.plan?.offered };
}

function failureOf(variant: "sotw" | "delta", run: Run): unknown {
  try {
    play(variant, run);
    return undefined;
  } catch (cause) {
    return cause ?? new Error("nothing was thrown");
  }
}

/** The failure with the smallest run that shows it: what to play again. */
function explained(variant: "sotw" | "delta", run: Run, cause: unknown): Error {
  const steps = shrunk(run.steps, (fewer) => failureOf(variant, { ...run, steps: fewer }) !== undefined);
  const text = JSON.stringify({ seed: run.seed, steps });
  return new Error(`${variant}, run ${text}: ${String(failureOf(variant, { ...run, steps }))}`, { cause });
}

describe.each(["sotw", "delta"] as const)("%s", (variant) => {
  const count = fuzzCount(500_000);

  test("whatever is asked, the state stays small and what is sent was asked for", {
    timeout: 60_000 + count,
  }, () => {
    announceSeed(`requests to the machine of ${variant}`, count);
    const all = { taken: 0, refused: 0 };
    let past: Offered | undefined;
    for (let index = 0; all.taken + all.refused < count; index++) {
      const run = newRun(fuzzSeed * 1_000_003 + index);
      try {
        const { taken, refused, past: left } = play(variant, run, past);
        all.taken += taken;
        all.refused += refused;
        past = left ?? past;
      } catch (cause) {
        throw explained(variant, run, cause);
      }
    }
    // Neither kind may be an exception: else nothing was tried.
    expect(all.taken).toBeGreaterThan(count / 10);
    expect(all.refused).toBeGreaterThan(count / 20);
  });
});
