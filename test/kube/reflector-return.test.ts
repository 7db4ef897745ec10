import { expect, test } from "vitest";
import { createMetrics } from "../../src/base/metrics.ts";
import { createReflector } from "../../src/kube/create-reflector.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import { reset } from "../support/fake-kube-answers.ts";
import { startFakeKubeApi } from "../support/fake-kube-api.ts";
import { waitFor } from "../support/wait-for.ts";
import { reflect, silentLog, things } from "./support.ts";

test("when the server answers one kind again after it had not, the others ask soon, too", async (context) => {
  const api = await startFakeKubeApi(context);
  for (const kind of ["stream", "list"] as const) api.always(kind, reset);
  const first = reflect(api, context);
  const second = createReflector({
    ...{ client: first.client, clock: first.clock, log: silentLog, random: () => 0 },
    resource: things,
    metrics: createKubeMetrics(createMetrics())("kubernetes", "others"),
    // It would not ask again by itself for a long time.
    times: { minPauseMs: 600_000, maxPauseMs: 600_000 },
  });
  context.onTestFinished(second.close);
  await waitFor(() => second.state.value.problem !== undefined && first.clock.pending() === 2);
  for (const kind of ["stream", "list"] as const) api.always(kind, undefined);
  await first.passUntil(() => first.state() === "live" && second.state.value.kind === "live", 100);
  expect(first.clock.monotonic()).toBeLessThan(60_000);
});
