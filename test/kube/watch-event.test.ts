import { expect, test } from "vitest";
import { readWatchEvent } from "../../src/kube/watch-event.ts";
import { statusObject } from "../support/fake-kube-answers.ts";

const read = (event: unknown) => readWatchEvent("things", JSON.stringify(event));
const metadata = { name: "a", namespace: "shop", uid: "u", resourceVersion: "7" };

test("an event says which object, made when, of which version", () => {
  expect(read({ type: "ADDED", object: { metadata } })).toEqual({
    type: "ADDED",
    meta: { key: "shop/a", uid: "u", resourceVersion: "7" },
    object: { metadata },
  });
  expect(read({ type: "DELETED", object: { metadata: { name: "node" } } })).toMatchObject({ meta: { key: "node" } });
});

test.each([
  [{}, false],
  [{ annotations: { "k8s.io/initial-events-end": "true" } }, true],
  [{ annotations: { other: "true" } }, false],
])("a bookmark %j", (more, listed) => {
  const bookmark = { type: "BOOKMARK", object: { metadata: { resourceVersion: "9", ...more } } };
  expect(read(bookmark)).toEqual({ type: "BOOKMARK", resourceVersion: "9", listed });
});

test("an error is thrown as what it is", () => {
  expect(() => read({ type: "ERROR", object: statusObject(410, "Expired") })).toThrow(
    expect.objectContaining({ kind: "gone" }),
  );
  expect(() => read({ type: "ERROR", object: statusObject(429, "TooManyRequests", { retryAfterSeconds: 2 }) })).toThrow(
    expect.objectContaining({ kind: "throttled", retryAfterMs: 2_000 }),
  );
});

test.each([
  "{",
  "[]",
  "null",
  '{"type":"ADDED"}',
  '{"type":"ADDED","object":{}}',
  '{"type":"NEW","object":{"metadata":{"name":"a"}}}',
])("%s is no event", (line) => {
  expect(() => readWatchEvent("things", line)).toThrow(expect.objectContaining({ kind: "broken" }));
});
