import { Agent, get, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

// Makes one request after the other over the same connection, and prints what came of each: node keep-calling.ts URL
const [url = ""] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const pauseMs = 50;
const connections = new Set<Socket>();

function ask(): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, signal: AbortSignal.timeout(3_000) }, resolve);
    request.on("error", reject);
    request.on("socket", (socket) => connections.add(socket));
  });
}

for (;;) {
  try {
    const answer = await ask();
    console.log(JSON.stringify({ ...JSON.parse(await text(answer)), connections: connections.size }));
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error), connections: connections.size }));
  }
  await delay(pauseMs);
}
