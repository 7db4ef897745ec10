import { describe, expect, test } from "vitest";
import { createMetrics } from "../../src/base/metrics.ts";
import { type AccessOptions, createAccess } from "../../src/security/access.ts";
import { formatTokenText } from "../../src/security/token-text.ts";
import { createTokens } from "../../src/security/tokens.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { recordedLog, tokenDatabase } from "./support.ts";

const peer = "192.0.2.1";
const wrong = "Bearer fw_wrong";

async function door(options: Partial<AccessOptions> = {}) {
  const clock = createFakeClock();
  const { log, lines } = recordedLog();
  const quiet = recordedLog().log;
  const metrics = createMetrics();
  const tokens = createTokens({ call: tokenDatabase().call, clock, log: quiet });
  const created = await tokens.create({ name: "ci", role: "editor", expiresInMs: 3_600_000 }, "anna");
  if (created.kind !== "created") throw new Error(created.kind);
  const access = createAccess({ tokens, clock, log, metrics, ...options });
  const counted = async () => {
    const { text } = await metrics.expose();
    const values = text.matchAll(/^fairway_api_authentications_total\{outcome="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries([...values].map(([, outcome, count]) => [outcome, Number(count)]));
  };
  const ask = (authorization: string | undefined, from = peer) => access.authenticate({ authorization, peer: from });
  const caller = { name: "ci", role: "editor", tokenId: created.token.id };
  return { ask, text: created.text, caller, tokens, clock, lines, counted };
}

describe("credentials", () => {
  test.each(["Bearer ", "bearer ", "BEARER   "])("a right token after %j", async (scheme) => {
    const { ask, text, caller, counted, lines } = await door();
    expect(await ask(`${scheme}${text}`)).toEqual({ kind: "caller", caller });
    expect(await counted()).toEqual({ accepted: 1 });
    expect(lines).toEqual([]);
  });

  test("none at all is no failed attempt", async () => {
    const { ask, counted, lines } = await door();
    for (let i = 0; i < 50; i++) expect(await ask(undefined)).toEqual({ kind: "missing" });
    expect(await counted()).toEqual({ missing: 50 });
    expect(lines).toEqual([]);
  });

  test("none at all, where that has a role; a wrong token is a wrong token there too", async () => {
    const { ask, counted } = await door({ anonymous: "viewer" });
    expect(await ask(undefined)).toEqual({ kind: "caller", caller: { name: "anonymous", role: "viewer" } });
    expect(await ask(wrong)).toMatchObject({ kind: "invalid" });
    expect(await counted()).toEqual({ anonymous: 1, malformed: 1 });
  });

  test.each([
    ["", "scheme"],
    ["Bearer", "scheme"],
    ["Bearer ", "scheme"],
    ["Basic YTpi", "scheme"],
    ["Bearer a b", "scheme"],
    ["Bearer a, Bearer b", "scheme"],
    [`Bearer ${"a".repeat(506)}`, "scheme"],
    [`Bearer ${"a".repeat(505)}`, "malformed"],
    ["Bearer fw_0123456789_short", "malformed"],
    [`Bearer fw_0123456789_${"a".repeat(49)}`, "mistyped"],
    [`Bearer ${formatTokenText({ id: "0123456789", secret: "a".repeat(43) })}`, "unknown"],
  ])("%j is refused as %s", async (authorization, outcome) => {
    const { ask, counted, lines } = await door();
    const decision = await ask(authorization);
    expect(decision).toMatchObject({ kind: "invalid", reason: expect.stringMatching(/\.$/), hint: expect.any(String) });
    expect(await counted()).toEqual({ [outcome]: 1 });
    expect(lines).toMatchObject([{ level: "warn", peer, reason: outcome, attempts: 1, msg: "request not let in" }]);
  });

  test("whoever had a token is told why it is none any more", async () => {
    const { ask, text, tokens, clock, lines } = await door();
    clock.advance(3_600_000);
    expect(await ask(`Bearer ${text}`)).toMatchObject({ kind: "invalid", reason: "The token has expired." });
    await tokens.revoke(text.split("_")[1] ?? "", "anna");
    expect(await ask(`Bearer ${text}`, "192.0.2.2")).toMatchObject({ reason: "The token was revoked." });
    expect(lines).toMatchObject([
      { reason: "expired", token: "ci" },
      { reason: "revoked", token: "ci" },
    ]);
  });
});

describe("failed attempts", () => {
  test("are limited: ten at once, then one in six seconds", async () => {
    const { ask, clock, counted } = await door();
    const kinds = async (count: number) => {
      const seen: string[] = [];
      for (let i = 0; i < count; i++) seen.push((await ask(wrong)).kind);
      return seen;
    };
    expect(await kinds(10)).toEqual(Array(10).fill("invalid"));
    expect(await ask(wrong)).toEqual({ kind: "limited", retryAfterS: 6 });
    clock.advance(4_500);
    expect(await ask(wrong)).toEqual({ kind: "limited", retryAfterS: 2 });
    clock.advance(1_500);
    expect(await kinds(2)).toEqual(["invalid", "limited"]);
    clock.advance(60_000);
    expect(await kinds(11)).toEqual([...Array(10).fill("invalid"), "limited"]);
    expect(await counted()).toEqual({ malformed: 21, limited: 4 });
  });

  test("count for an address, and for a whole /64", async () => {
    const { ask } = await door({ failures: { burst: 1, perSecond: 1 } });
    expect((await ask(wrong, "2001:db8::1")).kind).toBe("invalid");
    expect((await ask(wrong, "2001:db8::2")).kind).toBe("limited");
    expect((await ask(wrong, "2001:db8:0:1::1")).kind).toBe("invalid");
    expect((await ask(wrong, "192.0.2.1")).kind).toBe("invalid");
    expect((await ask(wrong, "::ffff:192.0.2.1")).kind).toBe("limited");
  });

  test("never keep a right token out", async () => {
    const { ask, text, caller } = await door();
    for (let i = 0; i < 100; i++) await ask(wrong);
    expect((await ask(wrong)).kind).toBe("limited");
    expect(await ask(`Bearer ${text}`)).toEqual({ kind: "caller", caller });
    expect((await ask(wrong)).kind).toBe("limited");
  });

  test("are one line a second for each address, with their number", async () => {
    const { ask, clock, lines } = await door();
    for (let i = 0; i < 30; i++) await ask(wrong);
    await ask(wrong, "192.0.2.2");
    const shown = () => lines.splice(0).map(({ peer: from, attempts, msg }) => [from, attempts, msg]);
    expect(shown()).toEqual([
      [peer, 1, "request not let in"],
      ["192.0.2.2", 1, "request not let in"],
    ]);
    clock.advance(1_000);
    expect(shown()).toEqual([[peer, 29, "requests not let in"]]);
    await ask(wrong);
    await ask(wrong, "192.0.2.2");
    clock.advance(999);
    expect(shown()).toEqual([["192.0.2.2", 1, "request not let in"]]);
    clock.advance(1);
    expect(shown()).toEqual([[peer, 1, "request not let in"]]);
    clock.advance(10_000);
    expect(shown()).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  test("from very many addresses share lines", async () => {
    const { ask, clock, lines } = await door();
    for (let i = 0; i < 1_000; i++) await ask(wrong, `10.0.${i >> 8}.${i & 255}`);
    expect(lines).toHaveLength(101);
    clock.advance(1_000);
    expect(lines).toHaveLength(102);
    expect(lines.at(-1)).toMatchObject({ peer: "others", attempts: 899 });
    clock.advance(5_000);
    expect(clock.pending()).toBe(0);
  });

  test("leave nothing of what was sent in answers or log", async () => {
    const { ask, text, tokens, clock, lines } = await door();
    const sent = [
      "hunter2hunter2",
      text.slice(3, -1),
      text,
      formatTokenText({ id: "0123456789", secret: "b".repeat(43) }),
    ];
    await tokens.revoke("ci", "anna");
    const answers: unknown[] = [];
    for (const credentials of sent) {
      answers.push(await ask(`Bearer ${credentials}`), await ask(`Basic ${credentials}`));
      clock.advance(1_000);
    }
    clock.advance(5_000);
    const seen = JSON.stringify([answers, lines]);
    for (const credentials of sent) expect(seen).not.toContain(credentials.slice(0, 12));
  });
});
