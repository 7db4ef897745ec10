import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import type { RuleObjectView } from "../../src/api/types/rules.ts";
import { followRules, type RuleNews } from "../../src/cli/follow.ts";
import { waitFor } from "../support/wait-for.ts";
import { problem, startApi } from "./api-server.ts";
import { rule } from "./rules.ts";
import { fairway } from "./terminal.ts";

const path = "GET /api/v1/namespaces/shop/virtualservices";

const version = (name: string, revision: number): RuleObjectView =>
  rule(`VirtualService/shop/${name}`, { hosts: [name] }, { metadata: { revision } });

function begin(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
}

function event(response: ServerResponse, type: string, revision: number, object?: RuleObjectView, id?: string): void {
  const data = JSON.stringify({ type, revision, object });
  response.write(`event: ${type}\n${id === undefined ? "" : `id: ${id}\n`}data: ${data}\n\n`);
}

test("a table of what is there, then a row for each change, until Ctrl-C", async () => {
  const interrupt = new AbortController();
  const { flag, seen } = await startApi({
    [path]: (_request, response) => {
      begin(response);
      event(response, "ADDED", 1, version("a", 1));
      event(response, "ADDED", 2, version("bookings", 2));
      event(response, "BOOKMARK", 2, undefined, "2");
      event(response, "MODIFIED", 3, version("a", 3), "3.1");
      event(response, "ADDED", 4, version("c", 4), "4.1");
      event(response, "DELETED", 5, version("a", 3), "5.1");
      response.write(": still here\n\n");
      return undefined;
    },
  });
  let out = "";
  const answer = await fairway(`get vs -n shop -w ${flag}`, {
    out: (text) => {
      out += text;
      if (out.includes("deleted")) interrupt.abort();
    },
    hearInterrupt: () => interrupt.signal,
  });
  expect([answer.exit, answer.err]).toEqual([0, ""]);
  await expect(out).toMatchFileSnapshot("expected/get-watch.txt");
  expect(seen[0]?.headers.accept).toBe("text/event-stream");
});

test("as a line of JSON for each", async () => {
  const interrupt = new AbortController();
  const a = version("a", 1);
  const { flag } = await startApi({
    [path]: (_request, response) => {
      begin(response);
      event(response, "ADDED", 1, a);
      event(response, "BOOKMARK", 1, undefined, "1");
      return undefined;
    },
  });
  let out = "";
  await fairway(`get vs -n shop -w -o json ${flag}`, {
    out: (text) => {
      out += text;
      interrupt.abort();
    },
    hearInterrupt: () => interrupt.signal,
  });
  expect(JSON.parse(out)).toEqual({ type: "ADDED", object: a });
});

test("one connection is lost, another one's position is forgotten: each change is told of once", async () => {
  const connections: ((id: string | undefined, response: ServerResponse) => void)[] = [
    (_id, response) => {
      begin(response);
      event(response, "ADDED", 1, version("half", 1));
      // Cut in the middle of the list: it is asked for as a whole again.
      response.socket?.end();
    },
    (id, response) => {
      expect(id).toBeUndefined();
      begin(response);
      event(response, "ADDED", 1, version("a", 1));
      event(response, "ADDED", 2, version("b", 2));
      event(response, "BOOKMARK", 2, undefined, "2");
      event(response, "MODIFIED", 3, version("a", 3), "3.1");
      response.end();
    },
    (id, response) => {
      expect(id).toBe("3.1");
      begin(response);
      const gone = problem(410, "Too long ago.").json;
      response.end(`event: ERROR\ndata: ${JSON.stringify(gone)}\n\n`);
    },
    (id, response) => {
      expect(id).toBeUndefined();
      begin(response);
      event(response, "ADDED", 3, version("a", 3));
      event(response, "ADDED", 9, version("c", 9));
      event(response, "BOOKMARK", 9, undefined, "9");
    },
  ];
  const { address } = await startApi({
    [path]: ({ headers }, response) => {
      connections.shift()?.(headers["last-event-id"]?.toString(), response);
      return undefined;
    },
  });
  const news: (readonly RuleNews[])[] = [];
  const troubles: string[] = [];
  const end = new AbortController();
  const url = new URL(`http://${address}/`);
  const following = followRules({
    server: { url, signal: end.signal, patiently: (work) => work },
    path: "api/v1/namespaces/shop/virtualservices",
    query: {},
    onNews: (batch) => news.push(batch),
    onTrouble: (message) => troubles.push(message),
    signal: end.signal,
    pause: async () => {},
  });
  await waitFor(() => news.length === 3, { what: "the list after the forgotten position" });
  end.abort();
  await following;
  expect(news.map((batch) => batch.map(({ type, rule: { metadata } }) => `${type} ${metadata.name}`))).toEqual([
    ["ADDED a", "ADDED b"],
    ["MODIFIED a"],
    ["DELETED b", "ADDED c"],
  ]);
  expect(troubles).toContain("connected again");
});

test("a server that says no ends it, and one that is not there at the beginning", async () => {
  const { flag } = await startApi({ [path]: () => problem(403, "The token ci may not.") });
  expect(await fairway(`get vs -n shop -w ${flag}`)).toEqual({
    exit: 2,
    out: "",
    err: "fairway: The token ci may not.\n",
  });
  const { exit } = await fairway(`get vs -n shop -w --server 127.0.0.1:1`);
  expect(exit).toBe(3);
});
