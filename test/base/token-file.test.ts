import { expect, test } from "vitest";
import { tokenFileOf } from "../../src/base/token-file.ts";

test.each([
  ["127.0.0.1", 15080, "127.0.0.1_15080"],
  ["localhost", 15080, "127.0.0.1_15080"],
  ["LocalHost", 80, "127.0.0.1_80"],
  ["::1", 15080, "%3A%3A1_15080"],
  ["0:0:0:0:0:0:0:1", 15080, "%3A%3A1_15080"],
  ["Mesh.Example", 443, "mesh.example_443"],
  ["..", 1, ".._1"],
  ["a/../../b", 1, "a_1"],
  ["a b/../c", 1, "a%20b%2F..%2Fc_1"],
])("the token for %s:%i", (host, port, name) => {
  expect(tokenFileOf("/home/anna/.config/fairway", host, port)).toBe(`/home/anna/.config/fairway/tokens/${name}`);
});
