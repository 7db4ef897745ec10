import { expect, test } from "vitest";
import { decode } from "../../src/base/decode.ts";
import { tokenRequest } from "../../src/security/token-request.ts";

test.each([
  [
    { name: "ci", role: "editor" },
    { name: "ci", role: "editor" },
  ],
  [
    { name: "a", role: "viewer", expiresIn: "720h" },
    { name: "a", role: "viewer", expiresInMs: 2_592_000_000 },
  ],
  [
    { name: "x".repeat(63), role: "admin", expiresIn: null },
    { name: "x".repeat(63), role: "admin" },
  ],
])("%j", (written, expected) => {
  expect(decode(tokenRequest, written)).toMatchObject({ ok: true, value: expected });
});

test.each([
  [{}, ["/name", "/role"]],
  [{ name: "CI", role: "editor" }, ["/name"]],
  [{ name: "-ci", role: "editor" }, ["/name"]],
  [{ name: "x".repeat(64), role: "editor" }, ["/name"]],
  [{ name: "ci", role: "root" }, ["/role"]],
  [{ name: "ci", role: "toString" }, ["/role"]],
  [{ name: "ci", role: "admin", expiresIn: "0s" }, ["/expiresIn"]],
  [{ name: "ci", role: "admin", expiresIn: "999999h" }, ["/expiresIn"]],
  [{ name: "ci", role: "admin", expiresIn: 5 }, ["/expiresIn"]],
  [{ name: "ci", role: "admin", secret: "mine" }, ["/secret"]],
])("%j is refused", (written, pointers) => {
  const result = decode(tokenRequest, written);
  expect(result.ok).toBe(false);
  expect(result.problems.map(({ pointer }) => pointer)).toEqual(pointers);
});
