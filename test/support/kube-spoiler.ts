import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { request } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Cleanup } from "./envoy.ts";
import type { KubeServer } from "./kube-api.ts";

/**
 * What becomes of requests: `overloaded`: 429 with a time to wait; `reset`: the connection is cut; `silent`: nothing goes through and no
 * connection ends, until the requests of that time are answered late. Open watches are cut at first, or stay silent for ever.
 */
export type KubeFault = "none" | "failing" | "overloaded" | "reset" | "silent";

/** A way to an API server that a test may spoil, down to what it answers; plain HTTP on this side. */
export interface KubeSpoiler {
  readonly url: string;
  /** From now on. */
  readonly set: (fault: KubeFault) => void;
  /** How many requests came so far. */
  readonly requests: () => number;
}

const refusals = {
  failing: { status: 500, headers: {} },
  overloaded: { status: 429, headers: { "retry-after": "1" } },
};

export async function startKubeSpoiler(cleanup: Cleanup, { url, ca }: KubeServer): Promise<KubeSpoiler> {
  let fault: KubeFault = "none";
  let requests = 0;
  const sockets = new Set<Socket>();
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };

  /** Grows with each silence: what was open before says nothing more. */
  let silences = 0;
  /** What came while it was silent. */
  const late: (() => void)[] = [];

  const forward = (asked: IncomingMessage, answer: ServerResponse): void => {
    const { method, headers } = asked;
    const begun = silences;
    const onward = request(new URL(asked.url ?? "/", url), { method, headers, ca: ca(), agent: false });
    onward.on("error", () => asked.socket.resetAndDestroy());
    onward.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      // A watch may have nothing to say for a while.
      answer.flushHeaders();
      response.on("data", (part) => {
        if (begun === silences) answer.write(part);
      });
      response.on("end", () => {
        if (begun === silences) answer.end();
      });
      response.on("error", () => asked.socket.resetAndDestroy());
    });
    asked.socket.on("close", () => onward.destroy());
    asked.pipe(onward);
  };

  const server = createServer((asked, answer) => {
    requests++;
    if (fault === "none") forward(asked, answer);
    else if (fault === "silent") late.push(() => asked.socket.destroyed || forward(asked, answer));
    else if (fault === "reset") asked.socket.resetAndDestroy();
    else {
      const { status, headers } = refusals[fault];
      const said = { apiVersion: "v1", kind: "Status", status: "Failure", code: status, message: "spoiled on purpose" };
      answer.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(said));
    }
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup(async () => {
    const closed = once(server, "close");
    server.close();
    cut();
    await closed;
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set: (next) => {
      fault = next;
      for (const answerNow of late.splice(0)) answerNow();
      if (next === "silent") silences++;
      else if (next !== "none") cut();
    },
    requests: () => requests,
  };
}
