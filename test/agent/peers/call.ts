import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

// Makes requests one after the other as this user, each over a connection of its own, and prints what came of them: node call.ts UID GID URL…
// `#name` at the end of a URL is the host that the request asks for.
const [uid = "0", gid = "0", ...urls] = process.argv.slice(2);
process.setgroups?.([]);
process.setgid?.(Number(gid));
process.setuid?.(Number(uid));

const timeoutMs = 2_000;

function get(url: string): Promise<IncomingMessage> {
  const { hash } = new URL(url);
  const host = hash === "" ? {} : { headers: { host: hash.slice(1) } };
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, signal: AbortSignal.timeout(timeoutMs), ...host }, resolve);
    sent.on("error", reject);
    sent.end();
  });
}

async function call(url: string): Promise<unknown> {
  try {
    const answer = await get(url);
    const body = await text(answer);
    if (answer.statusCode !== 200) return { failed: `${answer.statusCode} ${body}` };
    const via = String(answer.headers["x-via"] ?? "");
    return { ...JSON.parse(body), via: via === "" ? [] : via.split(/, ?/).toReversed() };
  } catch (error) {
    return { failed: (error as Error & { code?: string }).code ?? String(error) };
  }
}

const outcomes: unknown[] = [];
for (const url of urls) outcomes.push(await call(url));
console.log(JSON.stringify(outcomes));
