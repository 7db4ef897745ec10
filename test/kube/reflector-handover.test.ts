import { describe, expect, test } from "vitest";
import { reset, status } from "../support/fake-kube-answers.ts";
import { type FakeKubeApi, startFakeKubeApi } from "../support/fake-kube-api.ts";
import { heldBytes } from "../support/heap.ts";
import { waitFor } from "../support/wait-for.ts";
import { reflect, thing, watching } from "./support.ts";

const [minute, second] = [60_000, 1_000];

describe("whoever is told of objects", () => {
  test("may fail: it is counted, and told of the next change all the same", async (context) => {
    const { api, reflector, kept, passUntil, metric } = await watching(context);
    const heard: number[] = [];
    reflector.objects.subscribe((objects) => {
      heard.push(objects?.size ?? 0);
      throw new Error("failed");
    });
    api.put(thing("c"));
    await passUntil(() => kept().length === 3, 10);
    api.put(thing("d"));
    await passUntil(() => kept().length === 4, 10);
    expect(heard).toEqual([3, 4]);
    expect(await metric("fairway_kube_errors_total")).toEqual({ listener: 2 });
    expect(api.watches()).toHaveLength(1);
  });

  test("hears of 10,000 events in a few maps", async (context) => {
    const { api, kept, maps, clock } = await watching(context);
    for (let n = 0; n < 10_000; n++) api.put(thing(`t${n}`));
    await waitFor(() => {
      clock.advance(5);
      return kept().length === 10_002;
    });
    expect(maps.length).toBeLessThan(30);
  });

  test("hears of a change after a quiet time at once", async (context) => {
    const { api, kept } = await watching(context);
    api.put(thing("c"));
    await waitFor(() => kept().length === 3);
  });
});

test("hundreds of watches later, nothing has piled up", { timeout: 60_000 }, async (context) => {
  const { api, clock, kept } = await watching(context);
  const cycle = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      const asked = api.requests.length;
      const [watch] = api.watches();
      clock.advance(2 * second);
      if (n % 10 === 0) watch?.reset();
      else watch?.end();
      await waitFor(() => {
        clock.advance(second);
        return api.requests.length > asked && api.watches().length === 1;
      });
      clock.advance(2 * minute);
    }
    api.forget();
  };
  await cycle(100);
  const before = heldBytes();
  await cycle(500);
  // A connection or an answer that is held on to is 10 KB and more.
  expect(heldBytes() - before).toBeLessThan(3_000_000);
  expect(clock.pending()).toBeLessThanOrEqual(3);
  expect(api.connections()).toBeLessThanOrEqual(5);
  expect(kept()).toHaveLength(2);
});

describe("a reflector that is closed", () => {
  test.for<[string, (api: FakeKubeApi) => void]>([
    ["while it watches", () => {}],
    ["in a pause", (api) => api.always("watch", reset)],
    ["while it waits for an answer", (api) => api.always("watch", () => {})],
    [
      "while it lists",
      (api) => {
        api.always("stream", status(422, "Invalid"));
        api.always("list", () => {});
        api.always("watch", status(410, "Gone"));
      },
    ],
    [
      "while it asks whether the kind is there",
      (api) => {
        api.always("watch", status(404, "NotFound"));
        api.always("other", () => {});
      },
    ],
  ])("%s, leaves no timer and no connection", async ([what, prepare], context) => {
    const api = await startFakeKubeApi(context);
    api.put(thing("a"));
    const { reflector, clock, state, client } = reflect(api, context);
    await waitFor(() => state() === "live");
    prepare(api);
    clock.advance(2 * second);
    const before = api.requests.length;
    for (const watch of api.watches()) watch.end();
    await waitFor(() => api.requests.length > before);
    if (what === "in a pause") await waitFor(() => clock.pending() === 1 && api.connections() === 0);
    await reflector.close();
    client.close();
    expect(clock.pending()).toBe(0);
    await waitFor(() => api.connections() === 0);
    const asked = api.requests.length;
    clock.advance(10 * minute);
    expect(api.requests).toHaveLength(asked);
  });
});
