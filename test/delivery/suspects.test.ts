import { expect, test } from "vitest";
import { suspectsOf } from "../../src/delivery/suspects.ts";

const names = ["a", "a.b", "outbound|80||x.shop", "0.0.0.0_80", "http.8080"];

test.each<[string, string, readonly string[], readonly string[]]>([
  ["named as a word", "Error adding/updating cluster(s) a: bad", [], ["a"]],
  ["in quotes", 'cluster "outbound|80||x.shop" is bad', ["a"], ["outbound|80||x.shop"]],
  ["at the end of a sentence", "there is no a.b.", [], ["a.b"]],
  ["several", "listener(s) 0.0.0.0_80: x, http.8080: y", ["a"], ["0.0.0.0_80", "http.8080"]],
  ["a letter in a word is no name", "a bad.a.bc", ["a.b"], ["a"]],
  ["only inside other words", "bad-a xa /a a_", ["http.8080"], ["http.8080"]],
  ["nobody named: what changed", "malformed", ["a.b"], ["a.b"]],
  ["nobody named, nothing changed: all", "malformed", [], names],
])("%s", (_, reason, changed, want) => {
  expect(suspectsOf(reason, names, changed)).toEqual(want);
});

test("a removed or unnamed resource is never found in a text", () => {
  expect(suspectsOf("", [""], [])).toEqual([""]);
  expect(suspectsOf("text", ["", "b"], ["b"])).toEqual(["b"]);
});
