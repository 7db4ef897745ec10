import { expect, test } from "vitest";
import { page, problem, startApi } from "./api-server.ts";
import { at } from "./rules.ts";
import { fairway, noon } from "./terminal.ts";

const token = { id: "k3v9", name: "ci", role: "editor", createdAt: at(60), createdBy: "first" };

test("create prints the token once: alone, or to a person", async () => {
  const expiresAt = new Date(noon + 30 * 86_400_000).toISOString();
  const api = await startApi({
    "POST /api/v1/tokens": () => ({ status: 201, json: { ...token, expiresAt, token: "fw_k3v9_secret" } }),
  });
  const line = `token create ci --role editor --expires 30d ${api.flag}`;
  expect(await fairway(line)).toEqual({ exit: 0, out: "fw_k3v9_secret\n", err: "" });
  expect(JSON.parse(api.seen[0]?.body ?? "")).toEqual({ name: "ci", role: "editor", expiresIn: "720h" });
  const { out } = await fairway(line, { terminal: { columns: 80 }, env: { NO_COLOR: "1" } });
  expect(out).toBe("fw_k3v9_secret\n\nThis is the token ci (editor, expires in 30d). It is not shown again.\n");
});

test("list", async () => {
  const { flag } = await startApi({
    "GET /api/v1/tokens": () =>
      page([token, { ...token, id: "a", name: "anna", role: "admin", expiresAt: at(-7_200), lastUsedAt: at(5) }]),
  });
  const { exit, out } = await fairway(`token list ${flag}`);
  expect(exit).toBe(0);
  await expect(out).toMatchFileSnapshot("expected/tokens.txt");
});

test("revoke", async () => {
  const { flag } = await startApi({
    "DELETE /api/v1/tokens/ci": () => ({ status: 204, text: "" }),
    "DELETE /api/v1/tokens/nobody": () => problem(404, "There is no token nobody."),
  });
  expect((await fairway(`token revoke ci ${flag}`)).out).toBe("token ci revoked\n");
  expect((await fairway(`token revoke nobody ${flag}`)).exit).toBe(1);
});

test.each([
  "token create ci",
  "token create ci --role owner",
  "token create ci --role viewer --expires soon",
  "token",
  "token list --data d --server 127.0.0.1:1",
  "token revoke ci --data d --token x",
  "token create ci --role viewer --data d --context prod",
])("%s is wrong use", async (line) => {
  expect((await fairway(line)).exit).toBe(2);
});
