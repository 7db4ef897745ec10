import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** A port of 127.0.0.1 that nobody listens on, for who must know it beforehand. Below those that the system gives away by itself. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const server = createServer().listen(randomInt(20_000, 32_000), "127.0.0.1");
    try {
      await once(server, "listening");
      const address = server.address();
      if (typeof address === "object" && address !== null) return address.port;
    } catch {
      // Somebody has it.
    } finally {
      server.close();
      await once(server, "close").catch(() => {});
    }
  }
  throw new Error("no free port between 20000 and 32000");
}
