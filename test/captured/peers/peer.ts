import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { formatHostPort } from "../../../src/base/host-port.ts";
import { steadyTraffic, type Traffic } from "../../support/traffic.ts";
import { call } from "./calls.ts";
import type { Heard, LoadReport, Orders, Speech } from "./exchange.ts";
import { servers } from "./servers.ts";

/*
 * An application that serves and calls: node peer.ts NAME SOCKET PORT=SPEECH…
 * It takes its orders (`Orders`) at a Unix socket, which is reached from every network namespace: POST /<order>, JSON in and out.
 */

const [name = "", socket = "", ...ports] = process.argv.slice(2);
let traffic: Traffic | undefined;

const orders: { readonly [K in keyof Orders]: (asked: Orders[K]["asked"]) => Promise<Orders[K]["answer"]> } = {
  call,
  startLoad: async ({ authority, ...to }) => {
    traffic = steadyTraffic(`http://${formatHostPort(to)}/`, {
      maxMs: 300_000,
      ...(authority !== undefined && { host: authority }),
    });
    return null;
  },
  load: async () => reportOf(traffic),
  stopLoad: async () => {
    await traffic?.stop();
    return reportOf(traffic);
  },
  read: async (url) => (await fetch(url)).text(),
};

function reportOf(load: Traffic | undefined): LoadReport {
  const all = load?.answers ?? [];
  const answers: Record<string, number> = {};
  for (const { status, text: body } of all) {
    if (status !== 200) continue;
    const { who } = JSON.parse(body) as Heard;
    answers[who] = (answers[who] ?? 0) + 1;
  }
  return {
    answers,
    failures: all.filter(({ status }) => status !== 200).map(({ status, text: body }) => `${status} ${body}`),
  };
}

for (const port of ports) {
  const [number = "", speech = ""] = port.split("=");
  await servers[speech as Speech](Number(number), name);
}

createServer(async (request, response) => {
  const order = orders[request.url?.slice(1) as keyof Orders] as (asked: unknown) => Promise<unknown>;
  try {
    response.end(JSON.stringify(await order(JSON.parse(await text(request)))));
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
}).listen(socket, () => console.log("ready"));
