import { describe, expect, test } from "vitest";
import { startFakeKubeApi } from "../support/fake-kube-api.ts";
import { waitFor } from "../support/wait-for.ts";
import { reflect, thing } from "./support.ts";

describe("a reflector", () => {
  test("reads all objects in one streamed list, and follows what becomes of them", async (context) => {
    const api = await startFakeKubeApi(context);
    api.put(thing("a"));
    api.put(thing("b"));
    const { kept, state, maps, passUntil } = reflect(api, context);
    expect(state()).toBe("starting");
    await waitFor(() => state() === "live");
    expect(kept()).toEqual(["a=red", "b=red"]);
    expect(maps).toHaveLength(1);

    api.put(thing("a", "blue"));
    await waitFor(() => kept().includes("a=blue"));
    api.remove("shop/b");
    await passUntil(() => kept().length === 1, 10);
    expect(api.requests.map(({ kind }) => kind)).toEqual(["stream"]);
  });
});
