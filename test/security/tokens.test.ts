import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Call } from "../../src/base/database.ts";
import { MeshError } from "../../src/base/errors.ts";
import { maxLiveTokens, type tokenProcedures } from "../../src/security/token-procedures.ts";
import type { TokenRequest } from "../../src/security/token-request.ts";
import { formatTokenText, parseTokenText } from "../../src/security/token-text.ts";
import { createTokens, type Tokens } from "../../src/security/tokens.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { callOn, recordedLog, tokenDatabase } from "./support.ts";

const hourMs = 3_600_000;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

interface House {
  readonly tokens: Tokens;
  /** Another process on the same database. */
  readonly others: Tokens;
  readonly clock: ReturnType<typeof createFakeClock>;
  readonly lines: readonly Record<string, unknown>[];
  /** The names of the procedures that `tokens` called. */
  readonly calls: string[];
  /** Whether the database can be reached by `tokens`. */
  reachable: boolean;
}

function house(): House {
  const clock = createFakeClock();
  const { log, lines } = recordedLog();
  const { call } = tokenDatabase();
  const calls: string[] = [];
  const state = { reachable: true };
  const counted: Call<typeof tokenProcedures> = async (name, input) => {
    calls.push(name);
    if (!state.reachable) throw new MeshError("store/failed", "the disk is gone");
    return call(name, input);
  };
  return Object.assign(state, {
    tokens: createTokens({ call: counted, clock, log }),
    others: createTokens({ call, clock, log }),
    clock,
    lines,
    calls,
  });
}

async function made(tokens: Tokens, request: Partial<TokenRequest> = {}): Promise<string> {
  const result = await tokens.create({ name: "ci", role: "editor", ...request }, "anna");
  if (result.kind !== "created") throw new Error(result.kind);
  return result.text;
}

const verdictOf = async (tokens: Tokens, text: string): Promise<string> => {
  const verdict = await tokens.authenticate(text);
  return verdict.kind === "valid" ? "valid" : verdict.reason;
};

describe("a token", () => {
  test("is known by its text from the moment that it was made", async () => {
    const { tokens, clock } = house();
    const text = await made(tokens);
    const [token] = await tokens.list();
    expect(token).toEqual({
      id: text.split("_")[1],
      name: "ci",
      role: "editor",
      createdAtMs: clock.now(),
      createdBy: "anna",
      expiresAtMs: undefined,
      revokedAtMs: undefined,
      revokedBy: undefined,
      lastUsedAtMs: undefined,
    });
    expect(await tokens.verify(text)).toEqual({ kind: "valid", token });
  });

  test("expires to the millisecond", async () => {
    const { tokens, clock } = house();
    const text = await made(tokens, { expiresInMs: 5_000 });
    clock.advance(4_999);
    expect(await verdictOf(tokens, text)).toBe("valid");
    clock.advance(1);
    expect(await verdictOf(tokens, text)).toBe("expired");
  });

  test("is revoked at once, by name or id, and only once", async () => {
    const { tokens, clock } = house();
    const text = await made(tokens);
    const revokedAtMs = clock.now();
    expect(await tokens.revoke("nobody", "anna")).toBeUndefined();
    expect(await tokens.revoke("ci", "anna")).toMatchObject({ name: "ci", revokedAtMs, revokedBy: "anna" });
    expect(await verdictOf(tokens, text)).toBe("revoked");
    clock.advance(1_000);
    expect(await tokens.revoke("ci", "ben")).toBeUndefined();
    expect(await tokens.revoke(text.split("_")[1] ?? "", "ben")).toMatchObject({ revokedAtMs, revokedBy: "anna" });
  });

  test("stays revoked when a read that began before it ends after it", async () => {
    const clock = createFakeClock();
    const { call } = tokenDatabase();
    const slow: PromiseWithResolvers<void>[] = [];
    let isSlow = false;
    const slowly: typeof call = async (name, input) => {
      const result = await call(name, input);
      if (isSlow && name === "listTokens") {
        const gate = Promise.withResolvers<void>();
        slow.push(gate);
        await gate.promise;
      }
      return result;
    };
    const tokens = createTokens({ call: slowly, clock, log: recordedLog().log });
    const text = await made(tokens);
    expect(await verdictOf(tokens, text)).toBe("valid");
    isSlow = true;
    clock.advance(6_000);
    expect(await verdictOf(tokens, text)).toBe("valid");
    await turn();
    await tokens.revoke("ci", "anna");
    slow[0]?.resolve();
    await turn();
    expect(await verdictOf(tokens, text)).toBe("revoked");
  });

  test("has its name for itself while it lives", async () => {
    const { tokens, clock } = house();
    await made(tokens, { expiresInMs: hourMs });
    expect(await tokens.create({ name: "ci", role: "viewer" }, "anna")).toEqual({ kind: "name-taken" });
    clock.advance(hourMs);
    const second = await made(tokens);
    await tokens.revoke("ci", "anna");
    const third = await made(tokens);
    expect(await verdictOf(tokens, second)).toBe("revoked");
    expect(await verdictOf(tokens, third)).toBe("valid");
    expect((await tokens.list()).map(({ name }) => name)).toEqual(["ci", "ci", "ci"]);
  });

  test("that cannot be kept is not made", async () => {
    const { tokens } = house();
    const full = () => Promise.reject(new Error("disk full"));
    await expect(tokens.create({ name: "ci", role: "admin" }, "anna", full)).rejects.toThrow("disk full");
    expect(await tokens.isEmpty()).toBe(true);
  });
});

describe("what is no valid token", () => {
  test("any tampered one is refused, also with a right checksum", async () => {
    const { tokens } = house();
    const text = await made(tokens);
    const other = await made(tokens, { name: "other" });
    const [mine, theirs] = [parseTokenText(text), parseTokenText(other)];
    if (mine.kind !== "token" || theirs.kind !== "token") throw new Error("not parsed");
    const swapped = formatTokenText({ id: mine.id, secret: theirs.secret });
    expect(await tokens.authenticate(swapped)).toEqual({ kind: "invalid", reason: "unknown" });

    const letter = fc.constantFrom(..."0123456789ABCxyz");
    await fc.assert(
      fc.asyncProperty(fc.nat(42), letter, async (at, character) => {
        const secret = `${mine.secret.slice(0, at)}${character}${mine.secret.slice(at + 1)}`;
        fc.pre(secret !== mine.secret);
        expect(await verdictOf(tokens, formatTokenText({ id: mine.id, secret }))).toBe("unknown");
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom(..."0Aa_~ "), async (at, character) => {
        const wrong = `${text.slice(0, at)}${character}${text.slice(at + 1)}`;
        fc.pre(wrong !== text);
        expect(["malformed", "mistyped"]).toContain(await verdictOf(tokens, wrong));
      }),
    );
  });

  test("whoever does not have the secret is not told whose it was", async () => {
    const { tokens } = house();
    const text = await made(tokens);
    await tokens.revoke("ci", "anna");
    const parsed = parseTokenText(text);
    if (parsed.kind !== "token") throw new Error("not parsed");
    const guess = formatTokenText({ id: parsed.id, secret: "x".repeat(43) });
    expect(await tokens.verify(guess)).toEqual({ kind: "invalid", reason: "unknown" });
    expect(await tokens.verify(text)).toMatchObject({ kind: "invalid", reason: "revoked", token: { name: "ci" } });
  });

  test("unknown ids make the database be read four times a second, however many there are", async () => {
    const { tokens, clock, calls } = house();
    const unknown = Array.from({ length: 50 }, (_, i) =>
      formatTokenText({ id: String(i).padStart(10, "0"), secret: "x".repeat(43) }),
    );
    const asked: Promise<string>[] = [];
    for (let ms = 0; ms < 1_000; ms += 10) {
      asked.push(...unknown.slice(0, 5).map((text) => verdictOf(tokens, text)));
      await turn();
      clock.advance(10);
    }
    await turn();
    clock.advance(250);
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["unknown"]));
    expect(calls.length).toBeLessThanOrEqual(6);
  });
});

describe("another process on the same database", () => {
  test("makes tokens that count at once", async () => {
    const { tokens, others } = house();
    await made(tokens);
    const text = await made(others, { name: "offline" });
    expect(await verdictOf(tokens, text)).toBe("valid");
  });

  test("revokes tokens within ten seconds", async () => {
    const { tokens, others, clock } = house();
    const text = await made(tokens);
    expect(await verdictOf(tokens, text)).toBe("valid");
    await others.revoke("ci", "anna");
    clock.advance(10_001);
    expect(await verdictOf(tokens, text)).toBe("revoked");
  });

  test("is noticed too when the clock was set back", async () => {
    const { call } = tokenDatabase();
    const { log } = recordedLog();
    let now = 50 * hourMs;
    const clock = { ...createFakeClock(), now: () => now };
    const tokens = createTokens({ call, clock, log });
    const others = createTokens({ call, clock, log });
    const text = await made(tokens);
    expect(await verdictOf(tokens, text)).toBe("valid");
    await others.revoke("ci", "anna");
    now = hourMs;
    const asked = verdictOf(tokens, text);
    await turn();
    clock.advance(250);
    expect(await asked).toBe("revoked");
  });

  test("is noticed without a wait while tokens are in use", async () => {
    const { tokens, others, clock } = house();
    const text = await made(tokens);
    await verdictOf(tokens, text);
    await others.revoke("ci", "anna");
    clock.advance(6_000);
    expect(await verdictOf(tokens, text)).toBe("valid");
    await turn();
    expect(await verdictOf(tokens, text)).toBe("revoked");
  });
});

describe("without a database", () => {
  test("known tokens go on working, and the log says so; of others nobody can tell", async () => {
    const own = house();
    const { tokens, clock, lines } = own;
    const text = await made(tokens);
    expect(await verdictOf(tokens, text)).toBe("valid");
    const unknown = await made(own.others, { name: "offline" });
    own.reachable = false;
    clock.advance(60_000);
    expect(await verdictOf(tokens, text)).toBe("valid");
    expect(await Promise.all([1, 2, 3].map(() => verdictOf(tokens, text)))).toEqual(["valid", "valid", "valid"]);
    const warnings = lines.filter(({ level }) => level === "warn");
    expect(warnings).toMatchObject([{ msg: "cannot read the tokens; those known so far count" }]);
    const asked = tokens.authenticate(unknown);
    await turn();
    clock.advance(250);
    await expect(asked).rejects.toMatchObject({ code: "store/failed" });
    own.reachable = true;
    clock.advance(250);
    expect(await verdictOf(tokens, unknown)).toBe("valid");
  });
});

describe("last use", () => {
  test("is written once an hour at most", async () => {
    const { tokens, clock, calls } = house();
    const text = await made(tokens);
    const firstUse = clock.now();
    for (let i = 0; i < 100; i++) await verdictOf(tokens, text);
    clock.advance(hourMs - 1);
    await verdictOf(tokens, text);
    expect(calls.filter((name) => name === "noteTokenUse")).toHaveLength(1);
    expect(await tokens.list()).toMatchObject([{ lastUsedAtMs: firstUse }]);
    clock.advance(1);
    await verdictOf(tokens, text);
    expect(await tokens.list()).toMatchObject([{ lastUsedAtMs: firstUse + hourMs }]);
  });

  test("is not a matter of those that are refused or only verified, and never of the request", async () => {
    const own = house();
    const text = await made(own.tokens, { expiresInMs: 1_000 });
    await own.tokens.verify(text);
    expect(await own.tokens.list()).toMatchObject([{ lastUsedAtMs: undefined }]);
    own.reachable = false;
    expect(await verdictOf(own.tokens, text)).toBe("valid");
    await turn();
    expect(own.lines.at(-1)).toMatchObject({ msg: "cannot note that a token was used", token: "ci" });
  });
});

describe("bounds", () => {
  test("live tokens have a largest number", async () => {
    const { tokens } = house();
    for (let i = 0; i < maxLiveTokens; i++) await made(tokens, { name: `t${i}` });
    expect(await tokens.create({ name: "more", role: "viewer" }, "anna")).toEqual({ kind: "too-many" });
    await tokens.revoke("t0", "anna");
    await made(tokens, { name: "more" });
  });

  test("tokens that ended are forgotten: the oldest beyond a thousand, and all after ninety days", async () => {
    const { tokens, clock } = house();
    await made(tokens, { name: "stays" });
    const revoked = await made(tokens, { name: "revoked", expiresInMs: 1000 * hourMs });
    await tokens.revoke("revoked", "anna");
    for (let i = 0; i < 1_001; i++) {
      await made(tokens, { name: `t${i}`, expiresInMs: 1 });
      clock.advance(1);
    }
    await made(tokens, { name: "next" });
    const kept = (await tokens.list()).map(({ name }) => name);
    expect(kept).toHaveLength(1_002);
    expect(kept.slice(0, 2)).toEqual(["stays", "t1"]);
    expect(await tokens.verify(revoked)).toMatchObject({ kind: "invalid" });
    clock.advance(91 * 24 * hourMs);
    await made(tokens, { name: "last" });
    expect((await tokens.list()).map(({ name }) => name)).toEqual(["stays", "next", "last"]);
  });
});

test("no secret is in the database's files or in the log", async () => {
  const dir = mkdtempSync(join(tmpdir(), "fairway-tokens-"));
  const { db } = tokenDatabase(join(dir, "fairway.db"));
  db.exec("PRAGMA journal_mode = WAL");
  const { log, lines } = recordedLog();
  const clock = createFakeClock();
  const tokens = createTokens({ call: callOn(db), clock, log });
  const text = await made(tokens);
  await verdictOf(tokens, text);
  await verdictOf(tokens, `${text.slice(0, -1)}!`);
  await tokens.revoke("ci", "anna");
  await verdictOf(tokens, text);
  const parsed = parseTokenText(text);
  if (parsed.kind !== "token") throw new Error("not parsed");
  const files = readdirSync(dir).map((name) => readFileSync(join(dir, name)));
  expect(files.some((file) => file.includes(parsed.id))).toBe(true);
  for (const content of [...files, Buffer.from(JSON.stringify(lines))]) {
    expect(content.includes(parsed.secret)).toBe(false);
    expect(content.includes(text.slice(-12))).toBe(false);
  }
  expect(lines.map(({ msg }) => msg)).toEqual(["token created", "token revoked"]);
  db.close();

  const again = new DatabaseSync(join(dir, "fairway.db"));
  const later = createTokens({ call: callOn(again), clock, log });
  expect(await verdictOf(later, text)).toBe("revoked");
  again.close();
  rmSync(dir, { recursive: true });
});
