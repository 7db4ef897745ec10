import { expect, test } from "vitest";
import { type FailureKind, failureOf } from "../../src/kube/failure.ts";
import { statusObject } from "../support/fake-kube-answers.ts";

const tooLarge = { causes: [{ reason: "ResourceVersionTooLarge" }], retryAfterSeconds: 1 };

test.each<[string, number, unknown, FailureKind, number | undefined]>([
  ["410", 410, statusObject(410, "Expired"), "gone", undefined],
  ["410 of older servers", 410, statusObject(410, "Gone"), "gone", undefined],
  ["expired, whatever the number", 500, { reason: "Expired" }, "gone", undefined],
  ["a version from the future", 504, statusObject(504, "Timeout", tooLarge), "too-new", 1_000],
  ["429 with a time", 429, statusObject(429, "TooManyRequests", { retryAfterSeconds: 3 }), "throttled", 3_000],
  ["401", 401, statusObject(401, "Unauthorized"), "unauthorized", undefined],
  ["403", 403, statusObject(403, "Forbidden"), "forbidden", undefined],
  ["404 as plain text", 404, "404 page not found\n", "absent", undefined],
  ["409", 409, statusObject(409, "AlreadyExists"), "conflict", undefined],
  ["422", 422, statusObject(422, "Invalid"), "invalid", undefined],
  ["503", 503, statusObject(503, "ServiceUnavailable"), "failed", undefined],
  ["a body of anything", 502, [1, null], "failed", undefined],
])("%s", (_, status, body, kind, retryAfterMs) => {
  const failure = failureOf("GET /api/v1/things", { status, body });
  expect(failure).toMatchObject({ kind, retryAfterMs });
  expect(failure.hint).toMatch(/[.?]$/);
});

test("says who asked what, and what the server said, not all of it if it is long", () => {
  const long = { ...statusObject(403, "Forbidden"), message: "x".repeat(10_000) };
  const { message, status, reason } = failureOf("GET /api/v1/things at https://k8s as me", { status: 403, body: long });
  expect(message).toMatch(/^GET \/api\/v1\/things at https:\/\/k8s as me was answered with 403 Forbidden: x+$/);
  expect(message.length).toBeLessThan(600);
  expect({ status, reason }).toEqual({ status: 403, reason: "Forbidden" });
});

test.each([
  ["7", 7_000],
  ["soon", undefined],
  ["Fri, 31 Dec 1999 23:59:59 GMT", undefined],
])("the header Retry-After: %s", (retryAfter, retryAfterMs) => {
  expect(failureOf("", { status: 503, body: "", retryAfter }).retryAfterMs).toBe(retryAfterMs);
});
