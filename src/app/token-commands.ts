import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { userInfo } from "node:os";
import type { DatabaseSync } from "node:sqlite";
import { systemClock } from "../base/clock.ts";
import type { Call } from "../base/database.ts";
import { openDatabaseFile } from "../base/database-file.ts";
import { decode } from "../base/decode.ts";
import { MeshError } from "../base/errors.ts";
import { createLog } from "../base/log.ts";
import { databaseError } from "../base/sqlite-error.ts";
import type { OpenTokens, TokenKeeper } from "../cli/token.ts";
import { tokenProcedures } from "../security/token-procedures.ts";
import { tokenRequest } from "../security/token-request.ts";
import { createTokens } from "../security/tokens.ts";
import { databaseFile } from "./data-folder.ts";
import { storeFormat } from "./store-layout.ts";
import { createTokensPort } from "./tokens-port.ts";

/**
 * The tokens of a data directory, beside its server or without one: that is how the first token for a server is made that is not
 * on loopback. A running server sees what changes here at the next use of a token.
 */
export const openTokens: OpenTokens = async ({ dir, onMake }, work) => {
  const file = databaseFile(dir);
  if (!existsSync(file)) {
    if (onMake === undefined) {
      throw new MeshError("usage/invalid", `there is no file ${file}`, { hint: "Check the path." });
    }
    await makeFolder(dir);
    onMake();
  }
  const db = openDatabaseFile({ file, format: storeFormat });
  try {
    return await work(keeperOf(callIn(db, file)));
  } finally {
    db.close();
  }
};

async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw databaseError(cause, dir);
  }
}

/** Each call is a transaction of its own. */
const callIn =
  (db: DatabaseSync, file: string): Call<typeof tokenProcedures> =>
  async (name, input) => {
    try {
      db.exec("BEGIN IMMEDIATE");
      const result = tokenProcedures[name](db, input as never);
      db.exec("COMMIT");
      return result as never;
    } catch (cause) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw databaseError(cause, file);
    }
  };

function keeperOf(call: Call<typeof tokenProcedures>): TokenKeeper {
  const clock = systemClock;
  const silent = createLog({ level: "silent", format: "json", write: () => {} });
  const tokens = createTokensPort({ tokens: createTokens({ call, clock, log: silent }), clock });
  const by = `${userInfo().username}, offline`;
  return {
    create: async (order) => {
      const decoded = decode(tokenRequest, order);
      if (!decoded.ok) {
        const [problem] = decoded.problems;
        throw new MeshError("usage/invalid", problem?.message ?? "", problem?.hint ? { hint: problem.hint } : {});
      }
      const created = await tokens.create(decoded.value, by);
      if ("conflict" in created) throw new MeshError("input/invalid", created.conflict);
      return created;
    },
    list: () => tokens.list(),
    revoke: async (token) => {
      if (await tokens.revoke(token, by)) return;
      throw new MeshError("input/invalid", `there is no token ${token}`, { hint: "`fairway token list` shows them." });
    },
  };
}
