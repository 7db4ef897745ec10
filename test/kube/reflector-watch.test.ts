import { describe, expect, test } from "vitest";
import { says, status, statusObject } from "../support/fake-kube-answers.ts";
import type { Answer, FakeKubeApi } from "../support/fake-kube-api.ts";
import { waitFor } from "../support/wait-for.ts";
import { thing, watching } from "./support.ts";

const kinds = (api: FakeKubeApi) => api.requests.map(({ kind }) => kind);
const versions = (api: FakeKubeApi) =>
  api.requests.filter(({ kind }) => kind === "watch").map(({ query }) => query["resourceVersion"]);
const [minute, second] = [60_000, 1_000];

describe("a watch that ends", () => {
  test("in order, is taken up at once where it was, which bookmarks say, too", async (context) => {
    const { api, watch, clock, kept, passUntil, states } = await watching(context);
    clock.advance(2 * minute);
    api.bookmark();
    watch().end();
    await waitFor(() => versions(api).length === 1 && api.watches().length === 1);
    clock.advance(second);
    api.put(thing("c"));
    await passUntil(() => kept().length === 3, 10);
    watch().end();
    await waitFor(() => versions(api).length === 2);
    expect(versions(api)).toEqual(["1003", "1004"]);
    expect(states).toEqual([]);
  });

  test("at once and with nothing new, again and again, is asked for with pauses", async (context) => {
    const { api, watch, failed, clock } = await watching(context);
    api.always("watch", says("", "end"));
    clock.advance(2 * second);
    watch().end();
    for (const [times, pauseMs] of [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000].entries()) {
      await failed("short", times + 1);
      clock.advance(pauseMs - 1);
      expect(versions(api)).toHaveLength(times + 1);
      clock.advance(1);
    }
  });

  test("by a reset, is taken up after a pause; nothing is missed, and nothing was lost meanwhile", async (context) => {
    const { api, watch, failed, clock, kept, passUntil, states } = await watching(context);
    watch().reset();
    await failed("cut");
    api.put(thing("a", "blue"));
    api.remove("shop/b");
    clock.advance(799);
    expect(versions(api)).toEqual([]);
    clock.advance(1);
    await passUntil(() => kept().join() === "a=blue", 10);
    expect(versions(api)).toEqual(["1002"]);
    expect(states).toEqual([]);
  });

  test("within a line, is taken up before that line", async (context) => {
    const { api, watch, kept, passUntil } = await watching(context);
    watch().write('{"type":"DELETED","object":{"metadata":{"name":"a","name');
    watch().end();
    api.put(thing("c"));
    await passUntil(() => kept().length === 3, 100);
    expect(versions(api)).toEqual(["1002"]);
    expect(kept()).toEqual(["a=red", "b=red", "c=red"]);
  });

  test("with an error of the server, is taken up where it was, after a pause, also when the server leaves it open", async (context) => {
    const { api, watch, kept, failed, clock } = await watching(context);
    watch().event("ERROR", statusObject(500, "InternalError"));
    await failed("failed");
    clock.advance(800);
    await waitFor(() => versions(api).length === 1);
    expect(versions(api)).toEqual(["1002"]);
    expect(kept()).toHaveLength(2);
  });

  test.for<[string, () => Answer]>([
    [
      "in the watch",
      () =>
        says(
          `${JSON.stringify({ type: "ERROR", object: statusObject(429, "TooManyRequests", { retryAfterSeconds: 7 }) })}\n`,
        ),
    ],
    ["as its answer", () => status(429, "TooManyRequests", { "Retry-After": "7" })],
  ])("because there are too many, %s, is taken up when the server said so", async ([, answer], context) => {
    const { api, watch, failed, clock } = await watching(context);
    api.next("watch", answer());
    clock.advance(2 * second);
    watch().end();
    await waitFor(() => versions(api).length === 1);
    await failed("throttled");
    clock.advance(6_999);
    expect(versions(api)).toHaveLength(1);
    clock.advance(1);
    await waitFor(() => versions(api).length === 2);
  });

  test("with words that are no event, is not gone on with: all is read anew", async (context) => {
    const { api, watch, kept, passUntil } = await watching(context);
    watch().write("<html>busy</html>\n");
    await passUntil(() => kinds(api).length === 2);
    expect(kinds(api)).toEqual(["stream", "stream"]);
    await waitFor(() => api.watches().length === 1);
    expect(kept()).toHaveLength(2);
  });

  test("with an event that is too long, is read anew, too", async (context) => {
    const { api, watch, passUntil } = await watching(context);
    const part = "x".repeat(1024 * 1024);
    watch().write('{"type":"ADDED","object":{"a":"');
    for (let n = 0; n < 17; n++) watch().write(part);
    await passUntil(() => kinds(api).length === 2);
    expect(kinds(api)).toEqual(["stream", "stream"]);
  });
});

describe("a version that is too old", () => {
  test.for<[string, (api: FakeKubeApi) => void]>([
    ["as the watch's answer", (api: FakeKubeApi) => api.next("watch", status(410, "Expired"))],
    [
      "as an event of a watch that stays open",
      (api: FakeKubeApi) =>
        api.next("watch", says(`${JSON.stringify({ type: "ERROR", object: statusObject(410, "Expired") })}\n`)),
    ],
  ])("makes all be read anew at once, and replaced in one step: %s", async ([, prepare], context) => {
    const { api, watch, clock, maps, states, reflector } = await watching(context);
    const b = reflector.objects.value?.get("shop/b");
    prepare(api);
    api.compact();
    api.put(thing("c"));
    clock.advance(2 * second);
    // What the watch has said until now is known; what comes now is not heard any more.
    await waitFor(() => maps.length === 2);
    watch().end();
    api.remove("shop/a");
    api.put(thing("a", "blue", "made anew"));
    api.remove("shop/c");
    await waitFor(() => maps.length >= 3);
    expect(maps.slice(2)).toEqual([["a=blue", "b=red"]]);
    expect(reflector.objects.value?.get("shop/b")).toBe(b);
    expect(states).toEqual([]);
    expect(kinds(api)).toEqual(["stream", "watch", "stream"]);
  });

  test("again and again does not make it read all again and again", async (context) => {
    const { api, watch, failed, clock } = await watching(context);
    api.always("watch", status(410, "Expired"));
    api.always("stream", status(422, "Invalid"));
    clock.advance(2 * second);
    watch().end();
    // The first new list follows at once, also where it cannot be streamed.
    for (const [lists, pauseMs] of [1_600, 3_200].entries()) {
      await failed("gone", lists + 2);
      clock.advance(pauseMs - 1);
      expect(kinds(api).filter((kind) => kind === "list")).toHaveLength(lists + 1);
      clock.advance(1);
    }
  });
});

describe("silence", () => {
  test("of three minutes ends a watch, which is taken up at once; bookmarks break it", async (context) => {
    const { api, clock, metric, states } = await watching(context);
    for (const bookmarks of [1, 2, 3]) {
      clock.advance(2 * minute);
      api.bookmark();
      await waitFor(async () => (await metric("fairway_kube_events_total"))["BOOKMARK"] === bookmarks + 1);
    }
    expect(versions(api)).toEqual([]);
    clock.advance(3 * minute);
    await waitFor(() => versions(api).length === 1 && api.watches().length === 1);
    expect(versions(api)).toEqual(["1005"]);
    expect(await metric("fairway_kube_restarts_total")).toEqual({ silent: 1 });
    expect(states).toEqual([]);
  });

  test("of a server that takes no connection's word after it, is an outage; all that is known stays", async (context) => {
    const { api, clock, state, kept, reflector, passUntil } = await watching(context);
    for (const kind of ["watch", "stream", "list"] as const) api.always(kind, () => {});
    clock.advance(3 * minute);
    await waitFor(() => versions(api).length === 1);
    clock.advance(30 * second);
    await waitFor(() => state() === "lost");
    expect(kept()).toHaveLength(2);
    expect(reflector.state.value).toMatchObject({
      sinceMs: clock.now(),
      problem: {
        message: expect.stringContaining("no answer within 30 s"),
        hint: expect.stringContaining("API server"),
      },
    });
    for (const kind of ["watch", "stream", "list"] as const) api.always(kind, undefined);
    await passUntil(() => state() === "live");
  });
});

describe("contact", () => {
  test("is lost with the second reset in a row, and is there again with the first word or second", async (context) => {
    const { api, watch, states, passUntil, failed, clock } = await watching(context);
    api.next("watch", says("", "reset"));
    watch().reset();
    await passUntil(() => states.includes("lost"));
    await failed("cut", 2);
    clock.advance(1_600);
    await waitFor(() => api.watches().length === 1 && clock.pending() === 2);
    clock.advance(second - 1);
    expect(states).toEqual(["lost"]);
    clock.advance(1);
    expect(states).toEqual(["lost", "live"]);
  });

  test("is lost at once when it is refused", async (context) => {
    const { api, watch, states, kept, reflector, passUntil } = await watching(context);
    api.next("watch", status(403, "Forbidden"));
    watch().reset();
    await passUntil(() => states.length === 1);
    expect(reflector.state.value).toMatchObject({
      kind: "lost",
      problem: { message: expect.stringMatching(/^GET \/api\/v1\/things at http:\S+ as tester was answered with 403/) },
    });
    expect(kept()).toHaveLength(2);
    await passUntil(() => states.at(-1) === "live", 10 * second);
  });
});
