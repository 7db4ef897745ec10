import { hash } from "node:crypto";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import type { ChangeSetView } from "../../src/api/types/change-sets.ts";
import type { RuleListView } from "../../src/api/types/rules.ts";
import type { ProblemView } from "../../src/api/types/server.ts";
import type { ApiAnswer } from "../support/api-client.ts";
import { type OperatorsServer, reviewsRoute, routePath, startOperatorsServer } from "../support/operators-server.ts";
import { followWatch, replay } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

/* Many operators at once, over HTTP, on a store on disk. */

const yaml = "application/yaml";
const changesets = "/api/v1/changesets";

test("50 writers who all read the same version: one wins each round, and watchers see each revision once", async (context) => {
  const server = await startOperatorsServer(context);
  const { admin, adminToken, url } = server;
  const path = routePath("reviews");
  const writers = await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      const { name, token } = await server.makeToken(`writer-${n}`, "editor");
      return { name, client: server.client(token), accept: n % 2 === 0 ? yaml : "application/json" };
    }),
  );
  const watched = { url: () => `${url}/api/v1/virtualservices`, token: adminToken };
  const steady = followWatch(context, watched);
  const restless = followWatch(context, watched);
  await waitFor(() => steady.revision() === 0 && restless.revision() === 0);
  expect((await admin.put(path, reviewsRoute("reviews", "first"), yaml)).status).toBe(201);

  const rounds = 6;
  for (let round = 1; round <= rounds; round++) {
    if (round === rounds / 2) {
      const before = [steady, restless].map(({ connections }) => connections());
      await server.restart();
      await waitFor(() => steady.connections() > (before[0] ?? 0) && restless.connections() > (before[1] ?? 0));
    }
    const connections = restless.connections();
    let answered = 0;
    const cutAt = hash("sha256", `round ${round}`, "buffer").readUInt8() % 100;
    const send = async (writer: (typeof writers)[number], etag: string): Promise<ApiAnswer> => {
      const headers = { "if-match": etag, "content-type": yaml };
      const answer = await writer.client.send("PUT", path, {
        headers,
        body: reviewsRoute("reviews", `${writer.name} ${round}`),
      });
      if (answered++ === cutAt % 50) restless.cut();
      return answer;
    };
    const tags = await Promise.all(
      writers.map(async ({ client, accept }) => (await client.get(path, { accept })).headers.get("etag") ?? ""),
    );
    const answers: ApiAnswer[] = [];
    const shuffled = writers.map((_, n) => (n * 7 + cutAt) % writers.length);
    await Promise.all(
      shuffled.map(async (n) => {
        const writer = writers[n];
        if (writer !== undefined) answers[n] = await send(writer, tags[n] ?? "");
      }),
    );
    await waitFor(() => restless.connections() > connections);
    const winners = writers.filter((_, n) => answers[n]?.status === 200);
    expect(winners.length, answers.map(({ status }) => status).join(" ")).toBe(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(49);

    const [winner] = winners;
    const stored = await admin.get(path, { accept: yaml });
    expect(stored.text).toBe(reviewsRoute("reviews", `${winner?.name} ${round}`));
    const refusal = answers.find(({ status }) => status === 412);
    expect(refusal?.headers.get("etag")).toMatch(new RegExp(`^"${round + 1}\\.`));
    expect((JSON.parse(refusal?.text ?? "") as ProblemView).detail).toContain(`written by ${winner?.name} at`);
  }

  const { items, revision } = await admin.json<RuleListView>("/api/v1/virtualservices");
  expect(revision).toBe(rounds + 1);
  for (const { events } of [steady, restless]) {
    await waitFor(() => events.at(-1)?.revision === revision, { what: "the last revision" });
    expect(events.map(({ id }) => id)).toEqual(Array.from({ length: revision }, (_, n) => `${n + 1}.1`));
    expect([...replay(events).values()]).toEqual(items);
  }
  expect(steady.connections()).toBe(2);
  expect(restless.connections()).toBeGreaterThan(rounds);
  await Promise.all([steady.stop(), restless.stop()]);
});

describe("a change set", () => {
  const documents = (mark: string, ...names: readonly string[]): string =>
    names.map((name) => reviewsRoute(name, mark)).join("---\n");
  const revisionOf = async ({ admin }: OperatorsServer): Promise<number> =>
    (await admin.json<RuleListView>("/api/v1/virtualservices")).revision;
  const marksOf = async ({ admin }: OperatorsServer): Promise<readonly string[]> => {
    const { items } = await admin.json<RuleListView>("/api/v1/namespaces/shop/virtualservices");
    return items.map(({ metadata }) => `${metadata.name} ${(metadata["annotations"] as { mark: string }).mark}`);
  };

  test("is all or nothing", async (context) => {
    const server = await startOperatorsServer(context);
    const { admin } = server;
    const made = await admin.post(changesets, documents("one", "a", "b", "c"), yaml);
    expect(JSON.parse(made.text)).toMatchObject({
      revision: 1,
      results: ["a", "b", "c"].map((name) => ({ name, action: "created" })),
    });
    const refused: readonly (readonly [string, unknown, string, number])[] = [
      ["", `${documents("two", "a", "b")}---\n${reviewsRoute("c", "two").replace("hosts:", "hsots:")}`, yaml, 422],
      ["", `${documents("two", "a", "b")}---\nkind: [`, yaml, 400],
      ["", documents("two", "a", "b", "a"), yaml, 422],
      ["", documents("two", "a", "b").replace("reviews.shop", "nobody.shop"), yaml, 422],
      ["?baseRevision=0", documents("two", "d", "a"), yaml, 409],
      ["?baseRevision=99", documents("two", "a"), yaml, 409],
      [
        "",
        {
          documents: [{ text: documents("two", "a", "d") }],
          deletes: [{ kind: "VirtualService", namespace: "shop", name: "a" }],
        },
        "application/json",
        422,
      ],
    ];
    for (const [query, body, type, status] of refused) {
      const answer = await admin.post(`${changesets}${query}`, body, type);
      expect([answer.status, answer.headers.get("content-type")], answer.text).toEqual([
        status,
        "application/problem+json",
      ]);
      expect(await marksOf(server)).toEqual(["a one", "b one", "c one"]);
    }
    const dry = await admin.post(`${changesets}?dryRun=true`, documents("two", "a", "d"), yaml);
    expect(JSON.parse(dry.text)).toMatchObject({
      dryRun: true,
      results: [{ action: "configured" }, { action: "created" }],
    });
    expect(await revisionOf(server)).toBe(1);

    const deletes = [{ kind: "VirtualService", namespace: "shop", name: "b" }];
    const mixed = { documents: [{ text: documents("two", "a", "d") }], deletes };
    expect((await admin.post(`${changesets}?baseRevision=1`, mixed)).status).toBe(200);
    expect(await marksOf(server)).toEqual(["a two", "c one", "d two"]);
    expect(await revisionOf(server)).toBe(2);
  });

  /** Sends the first `bytes` of a request, and is gone. */
  const sendAndVanish = async (port: number, text: string, bytes: number): Promise<void> => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(text.slice(0, bytes), () => socket.destroy());
    await new Promise((resolve) => socket.once("close", resolve));
  };

  test("that is sent again with its Idempotency-Key after the connection was lost is written once", async (context) => {
    const server = await startOperatorsServer(context);
    const { admin, adminToken, url } = server;
    const port = Number(new URL(url).port);
    const follower = followWatch(context, { url: () => `${url}/api/v1/virtualservices`, token: adminToken });
    const lost = ["in the head", "in the body", "before its last byte", "before the answer"] as const;
    for (const [n, when] of lost.entries()) {
      const body = documents(when, "a", "b");
      const headers = { "content-type": yaml, "idempotency-key": `key-${n}`, "content-length": String(body.length) };
      const head = Object.entries({ host: "localhost", authorization: `Bearer ${adminToken}`, ...headers });
      const text = `POST ${changesets} HTTP/1.1\r\n${head.map((line) => line.join(": ")).join("\r\n")}\r\n\r\n${body}`;
      const cuts = { "in the head": 60, "in the body": text.length - 100, "before its last byte": text.length - 1 };
      await sendAndVanish(port, text, cuts[when as keyof typeof cuts] ?? text.length);
      const again = () => admin.send("POST", changesets, { headers, body });
      const answers = await Promise.all([again(), again(), again()]);
      for (const { status, text } of answers) {
        expect(status, text).toBe(200);
        expect((JSON.parse(text) as ChangeSetView).revision).toBe(n + 1);
      }
      expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    }
    await server.restart();
    const late = await admin.send("POST", changesets, {
      headers: { "content-type": yaml, "idempotency-key": "key-0" },
      body: documents(lost[0], "a", "b"),
    });
    expect(JSON.parse(late.text)).toMatchObject({ revision: 1 });
    expect(await revisionOf(server)).toBe(lost.length);
    expect(await marksOf(server)).toEqual(["a before the answer", "b before the answer"]);
    await waitFor(() => follower.events.at(-1)?.id === `${lost.length}.2`);
    expect(follower.events.map(({ id }) => id)).toEqual(lost.flatMap((_, n) => [`${n + 1}.1`, `${n + 1}.2`]));
  });
});
