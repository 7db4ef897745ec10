import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "vitest";

/** What a load balancer is to proxies: an address that stays, whoever stands behind it. */
export interface Relay {
  readonly port: number;
  /** From now on connections go to this port of 127.0.0.1; those that are open are cut. */
  readonly switchTo: (port: number) => void;
}

export async function startRelay(context: Pick<TestContext, "onTestFinished">, firstPort: number): Promise<Relay> {
  let target = firstPort;
  const open = new Set<Socket>();
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  const server = createServer((client) => {
    const behind = connect(target, "127.0.0.1");
    for (const [socket, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      open.add(socket);
      // Who is not there, or goes, takes the other side along.
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    cut();
    await closed;
  });
  return {
    port: (server.address() as AddressInfo).port,
    switchTo: (port) => {
      target = port;
      cut();
    },
  };
}
