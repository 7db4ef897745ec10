import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTokenText, newTokenText, parseTokenText, secretHash } from "../../src/security/token-text.ts";

test("what is made is read again, and no two are the same", () => {
  const made = Array.from({ length: 200 }, newTokenText);
  for (const token of made) {
    const text = formatTokenText(token);
    expect(text).toMatch(/^fw_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}$/);
    expect(parseTokenText(text)).toEqual({ kind: "token", ...token });
  }
  expect(new Set(made.map(({ id }) => id)).size).toBe(200);
  expect(new Set(made.map(({ secret }) => secret)).size).toBe(200);
});

test("the form stays: tokens are in people's hands", () => {
  const id = "0123456789";
  const secret = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq";
  const text = "fw_0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq15ixwn";
  expect(formatTokenText({ id, secret })).toBe(text);
  expect(Buffer.from(secretHash(secret)).toString("hex")).toBe(
    "769e8d95aa246a02d94d48c42fb7183e531c85c41d5b3456ddb90011712d8bd7",
  );
});

test("one wrong character is a slip of the pen", () => {
  const text = formatTokenText(newTokenText());
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom(..."aZ05_- é\n"), (at, character) => {
      const wrong = `${text.slice(0, at)}${character}${text.slice(at + 1)}`;
      fc.pre(wrong !== text);
      expect(parseTokenText(wrong).kind).not.toBe("token");
    }),
  );
  const last = text.endsWith("0") ? "1" : "0";
  expect(parseTokenText(`${text.slice(0, -1)}${last}`)).toEqual({ kind: "mistyped" });
});

test.each(["", "fw_", "secret", "Bearer fw_a_b", ` ${formatTokenText(newTokenText())}`, "fw_".repeat(10_000)])(
  "%j is no token",
  (text) => {
    expect(parseTokenText(text)).toEqual({ kind: "malformed" });
  },
);
