import { expect, test } from "vitest";
import { changeReason } from "../../src/api/change-headers.ts";

const read = (value: string | undefined) => changeReason({ header: () => value });
const asHeader = (text: string) => Buffer.from(text).toString("latin1");

test.each([
  [undefined, undefined],
  ["  ", undefined],
  ["a fifth for v2", "a fifth for v2"],
  [asHeader("zurück auf v1 ✓"), "zurück auf v1 ✓"],
  ["zur\u00fcck", "zur\u00fcck"],
])("the reason %j", (given, reason) => {
  expect(read(given)).toEqual({ ok: true, value: reason });
});

test.each([["x".repeat(1_025)], ["a\ttab"], [asHeader("next line\u0085")]])("%j is no reason", (given) => {
  expect(read(given)).toMatchObject({ ok: false });
});
