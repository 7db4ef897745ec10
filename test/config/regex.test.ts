import { describe, expect, test } from "vitest";
import { decode } from "../../src/base/decode.ts";
import { regex } from "../../src/config/regex.ts";

describe("characters by number", () => {
  test.each(["\\x{FF}", "\\x{0041}", "[\\x00-\\x7f]", "\\\\x{100}", "é", "\\pL+"])("%s is taken", (pattern) => {
    expect(decode(regex, pattern)).toMatchObject({ ok: true, value: pattern });
  });

  test.each(["\\x{100}", "[^\\x00-\\x{10FFFF}]", "\\\\\\x{0100}"])(
    "%s is beyond a byte, and Envoy refuses it",
    (pattern) => {
      expect(decode(regex, pattern)).toMatchObject({
        ok: false,
        problems: [{ code: "invalid-regex", hint: "Write the character itself instead of its number." }],
      });
    },
  );
});
