import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { endTokensAs } from "../../src/security/token-ends.ts";
import { tokenLayout, tokenProcedures } from "../../src/security/token-procedures.ts";

const token = (expiresAtMs: number | undefined) => ({
  ...({ id: "a", name: "ci", role: "editor", createdAtMs: 1, createdBy: "test", expiresAtMs } as const),
  hash: new Uint8Array(32),
});

function database(expiresAtMs: number | undefined): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  db.exec(tokenLayout.sql);
  tokenProcedures.createToken(db, token(expiresAtMs));
  return db;
}

const ended = { revokedAtMs: undefined, revokedBy: undefined, lastUsedAtMs: undefined };

test.each([
  [undefined, undefined, undefined],
  [5, undefined, 5],
  [undefined, 5, 5],
  [5, 9, 5],
  [9, 5, 5],
])("expires at %s here and at %s elsewhere: at %s", (here, elsewhere, expected) => {
  const db = database(here);
  endTokensAs(db, [{ ...token(elsewhere), ...ended }]);
  expect(tokenProcedures.listTokens(db, null)).toMatchObject([{ expiresAtMs: expected, revokedAtMs: undefined }]);
});

test("the first revocation counts; tokens that are not here stay away", () => {
  const db = database(undefined);
  endTokensAs(db, [{ ...token(undefined), ...ended, revokedAtMs: 7, revokedBy: "anna" }]);
  endTokensAs(db, [{ ...token(undefined), ...ended, revokedAtMs: 9, revokedBy: "bert" }]);
  endTokensAs(db, [{ ...token(undefined), ...ended, id: "b", revokedAtMs: 9, revokedBy: "bert" }]);
  expect(tokenProcedures.listTokens(db, null)).toMatchObject([{ id: "a", revokedAtMs: 7, revokedBy: "anna" }]);
});
