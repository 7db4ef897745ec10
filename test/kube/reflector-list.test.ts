import { describe, expect, test } from "vitest";
import { hang, reset, says, status, text } from "../support/fake-kube-answers.ts";
import { type Answer, type FakeKubeApi, startFakeKubeApi } from "../support/fake-kube-api.ts";
import { waitFor } from "../support/wait-for.ts";
import { reflect, thing } from "./support.ts";

const kinds = (api: FakeKubeApi) => api.requests.map(({ kind }) => kind);
const queries = (api: FakeKubeApi, kind: string) =>
  api.requests.filter((one) => one.kind === kind).map(({ query }) => query);
const fill = (api: FakeKubeApi, count: number) => {
  for (let n = 0; n < count; n++) api.put(thing(`t${n}`));
};

describe("the first list", () => {
  test("is streamed, complete in one map, and goes on as a watch", async (context) => {
    const api = await startFakeKubeApi(context);
    fill(api, 3);
    const { kept, state, maps, passUntil } = reflect(api, context);
    expect(state()).toBe("starting");
    await waitFor(() => state() === "live");
    expect(maps).toEqual([["t0=red", "t1=red", "t2=red"]]);

    api.put(thing("t0", "blue"));
    await passUntil(() => kept()[0] === "t0=blue", 10);
    api.remove("shop/t1");
    await passUntil(() => kept().length === 2, 10);
    expect(kinds(api)).toEqual(["stream"]);
    expect(queries(api, "stream")[0]).toMatchObject({
      ...{ watch: "1", sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan", resourceVersion: "" },
      allowWatchBookmarks: "true",
    });
  });

  test("is a plain one at once where the server streams none", async (context) => {
    const api = await startFakeKubeApi(context);
    fill(api, 600);
    api.always("stream", status(422, "Invalid"));
    // Lists may be of any size.
    const { kept, state } = reflect(api, context, { limits: { maxBodyBytes: 1_000 } });
    await waitFor(() => state() === "live" && api.watches().length === 1);
    expect(kept()).toHaveLength(600);
    expect(kinds(api)).toEqual(["stream", "list", "watch"]);
    expect(queries(api, "list")).toEqual([{ resourceVersion: "0", limit: "500" }]);
    expect(queries(api, "watch")).toEqual([
      { watch: "1", allowWatchBookmarks: "true", timeoutSeconds: "300", resourceVersion: "1600" },
    ]);
  });

  test("is a plain one when the stream does not say that it was all", async (context) => {
    const api = await startFakeKubeApi(context);
    fill(api, 2);
    api.endsStreams(false);
    const { state, clock, maps, metric } = reflect(api, context);
    await waitFor(async () => (await metric("fairway_kube_events_total"))["ADDED"] === 2);
    clock.advance(9_999);
    expect(kinds(api)).toEqual(["stream"]);
    clock.advance(1);
    await waitFor(() => state() === "live");
    expect(maps).toEqual([["t0=red", "t1=red"]]);
    expect(kinds(api).slice(0, 2)).toEqual(["stream", "list"]);
  });

  test("ends after two minutes, however much is streamed", async (context) => {
    const api = await startFakeKubeApi(context);
    api.endsStreams(false);
    const { state, passUntil } = reflect(api, context);
    await waitFor(() => api.watches().length === 1);
    await passUntil(() => {
      api.put(thing("t"));
      return state() === "live";
    }, 5_000);
    expect(kinds(api).slice(0, 2)).toEqual(["stream", "list"]);
  });

  test("goes page by page where pages are kept, all of the version of the first", async (context) => {
    const api = await startFakeKubeApi(context);
    fill(api, 1_200);
    api.always("stream", status(422, "Invalid"));
    api.next("list", status(410, "Expired"));
    const { kept, passUntil, state } = reflect(api, context);
    await passUntil(() => state() === "live");
    await waitFor(() => api.watches().length === 1);
    expect(kept()).toHaveLength(1_200);
    expect(kinds(api)).toEqual(["stream", "list", "list", "page", "page", "watch"]);
    expect(queries(api, "list")[1]).toEqual({ limit: "500" });
    expect(queries(api, "page").map((query) => Object.keys(query).sort())).toEqual([
      ["continue", "limit"],
      ["continue", "limit"],
    ]);
    expect(queries(api, "watch")[0]).toMatchObject({ resourceVersion: "2200" });
  });

  test("begins again, as one, when a page has expired", async (context) => {
    const api = await startFakeKubeApi(context);
    fill(api, 700);
    api.always("stream", status(422, "Invalid"));
    api.next("list", status(410, "Expired"));
    api.next("page", (response, request) => {
      api.remove("shop/t0");
      status(410, "Expired")(response, request);
    });
    const { kept, passUntil, state } = reflect(api, context);
    await passUntil(() => state() === "live");
    expect(kept()).toHaveLength(699);
    expect(queries(api, "list").slice(1)).toEqual([{ limit: "500" }, {}]);
  });

  test("that falls silent in the middle is read again", async (context) => {
    const api = await startFakeKubeApi(context);
    fill(api, 2);
    api.always("stream", status(422, "Invalid"));
    api.next("list", says('{"items":[{"metadata":{"name":"a"}},'));
    const { state, kept, passUntil, metric } = reflect(api, context);
    await passUntil(() => state() === "live");
    expect(kept()).toHaveLength(2);
    expect(await metric("fairway_kube_restarts_total")).toMatchObject({ silent: 1 });
  });

  test.for<[string, Answer]>([
    ["breaks off", says('{"items":[{"metadata":{"name":"a"}},', "reset")],
    ["is not whole", says('{"items":[{"metadata":{"name":"a"}}', "end")],
    ["has an object without a name", says('{"metadata":{"resourceVersion":"1"},"items":[{}]}', "end")],
    ["has no version", says('{"metadata":{},"items":[]}', "end")],
  ])("that %s is read again", async ([, answer], context) => {
    const api = await startFakeKubeApi(context);
    fill(api, 2);
    api.always("stream", status(422, "Invalid"));
    api.next("list", answer);
    const { maps, passUntil, state } = reflect(api, context);
    await passUntil(() => state() === "live");
    expect(maps).toEqual([["t0=red", "t1=red"]]);
  });

  test("of one namespace, and of some objects only, asks for no others", async (context) => {
    const api = await startFakeKubeApi(context);
    api.put(thing("a"));
    api.put({ metadata: { name: "b", namespace: "other" }, color: "red" });
    const { kept, state } = reflect(api, context, {
      resource: {
        ...{ base: "/api/v1", plural: "things", namespace: "shop" },
        ...{ labelSelector: "app in (a,b)", fieldSelector: "spec.x!=1" },
        project: (object) => ({ color: object["color"] }),
      },
    });
    await waitFor(() => state() === "live");
    expect(kept()).toEqual(["a=red"]);
    expect(api.requests[0]).toMatchObject({
      path: "/api/v1/namespaces/shop/things",
      query: { labelSelector: "app in (a,b)", fieldSelector: "spec.x!=1" },
    });
  });
});

describe("while nothing can be read", () => {
  test.for([
    ["forbidden", status(403, "Forbidden"), /403 Forbidden/, 800],
    ["an error of the server", status(500, "InternalError"), /500 InternalError/, 800],
    ["a reset", reset, /got no answer/, 800],
    ["another kind of server", text(200, "<html>\n"), /no event|no JSON/, 800],
  ] as const)(
    "it stays at the start, says why, and tries again with pauses: %s",
    async ([, answer, message, pauseMs], context) => {
      const api = await startFakeKubeApi(context);
      for (const kind of ["stream", "list"] as const) api.always(kind, answer);
      const { reflector, state, clock, passUntil } = reflect(api, context);
      await waitFor(() => reflector.state.value.problem !== undefined && clock.pending() === 1);
      expect(reflector.state.value).toMatchObject({
        kind: "starting",
        problem: { message: expect.stringMatching(message) },
      });
      expect(reflector.objects.value).toBeUndefined();

      const before = api.requests.length;
      clock.advance(pauseMs - 1);
      expect(api.requests).toHaveLength(before);
      clock.advance(1);
      await waitFor(() => api.requests.length > before);

      for (const kind of ["stream", "list"] as const) api.always(kind, undefined);
      await passUntil(() => state() === "live", 10_000);
      expect(reflector.state.value.problem).toBeUndefined();
    },
  );

  test("a server that takes the connection and says nothing is left after 30 s", async (context) => {
    const api = await startFakeKubeApi(context);
    api.next("stream", hang);
    const { reflector, clock, passUntil, state } = reflect(api, context);
    await waitFor(() => api.requests.length === 1);
    clock.advance(30_000);
    await waitFor(() => reflector.state.value.problem !== undefined);
    expect(reflector.state.value.problem?.message).toBe("/api/v1/things gave no answer within 30 s");
    await passUntil(() => state() === "live");
  });
});

describe("a kind that the server does not know", () => {
  const crd = "/apis/mesh.example/v1/rules";
  const rules = { base: "/apis/mesh.example/v1", plural: "rules", project: () => ({ color: "red" }) };

  test("is absent and empty, and is found within a minute when it comes", async (context) => {
    const api = await startFakeKubeApi(context);
    const { kept, state, clock, reflector, passUntil, metric } = reflect(api, context, { resource: rules });
    await waitFor(() => state() === "absent");
    expect(reflector.objects.value?.size).toBe(0);
    api.define(crd);
    api.put(thing("a"), crd);
    api.endsStreams(false);
    await waitFor(() => clock.pending() === 1);
    clock.advance(60_000);
    await waitFor(async () => (await metric("fairway_kube_events_total"))["ADDED"] === 1);
    clock.advance(5_000);
    // Some of them are not all.
    expect(state()).toBe("absent");
    await passUntil(() => state() === "live");
    expect(kept()).toEqual(["a=red"]);

    api.undefine(crd);
    await passUntil(() => state() === "absent");
    expect(kept()).toEqual([]);
  });

  test("with others of its group is absent, too", async (context) => {
    const api = await startFakeKubeApi(context);
    api.define("/apis/mesh.example/v1/others");
    const { state } = reflect(api, context, { resource: rules });
    await waitFor(() => state() === "absent");
  });

  test("is not believed to be gone when only something in between says so", async (context) => {
    const api = await startFakeKubeApi(context);
    api.put(thing("a"));
    const { kept, state, passUntil } = reflect(api, context);
    await waitFor(() => state() === "live");
    const notHere = text(404, "not here\n");
    for (const kind of ["stream", "list", "watch", "other"] as const) api.always(kind, notHere);
    for (const watch of api.watches()) watch.reset();
    await passUntil(() => state() === "lost");
    await waitFor(() => kinds(api).includes("other"));
    expect(kept()).toEqual(["a=red"]);
    for (const kind of ["stream", "list", "watch", "other"] as const) api.always(kind, undefined);
    await passUntil(() => state() === "live", 30_000);
    expect(kept()).toEqual(["a=red"]);
  });
});
