import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** What was given away may not be listened on yet. */
const given = new Set<number>();

/** Test files run in a few processes at a time: each has ports of its own. */
const sharers = 4;
const share = Number(process.env["VITEST_POOL_ID"] ?? "0") % sharers;

/**
 * A port of 127.0.0.1 that nobody listens on, for who must know it beforehand; none is given twice. Below those that the system gives
 * away by itself.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(20_000 / sharers, 32_000 / sharers) * sharers + share;
    if (given.has(port)) continue;
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
      const address = server.address();
      if (typeof address === "object" && address !== null) {
        given.add(address.port);
        return address.port;
      }
    } catch {
      // Somebody has it.
    } finally {
      server.close();
      await once(server, "close").catch(() => {});
    }
  }
  throw new Error("no free port between 20000 and 32000");
}
