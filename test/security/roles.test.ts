import { describe, expect, test } from "vitest";
import { denialOf, type Role, type Verb } from "../../src/security/roles.ts";

const verbs: readonly Verb[] = ["read", "write", "register", "administer"];

test.each<{ role: Role; may: readonly Verb[] }>([
  { role: "viewer", may: ["read"] },
  { role: "editor", may: ["read", "write", "register"] },
  { role: "admin", may: ["read", "write", "register", "administer"] },
])("the role $role may $may", ({ role, may }) => {
  const caller = { name: "ci", role, tokenId: "id" };
  expect(verbs.filter((verb) => denialOf(caller, { verb }) === undefined)).toEqual(may);
});

describe("a denial says what is missing", () => {
  test.each<[string, Parameters<typeof denialOf>]>([
    [
      "The token ci has the role viewer, which may read; this needs editor.",
      [
        { name: "ci", role: "viewer", tokenId: "id" },
        { verb: "write", kind: "VirtualService", namespace: "shop" },
      ],
    ],
    [
      "The token ci has the role editor, which may read, write and register; this needs admin.",
      [{ name: "ci", role: "editor", tokenId: "id" }, { verb: "administer" }],
    ],
    [
      "Without a token one may read; this needs a token of the role editor.",
      [{ name: "anonymous", role: "viewer" }, { verb: "register" }],
    ],
  ])("%s", (sentence, [caller, action]) => {
    expect(denialOf(caller, action)).toBe(sentence);
  });
});
