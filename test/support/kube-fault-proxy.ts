import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "vitest";

/** Stands between a client and an API server, and does what networks do; the bytes in between stay theirs. */
export interface KubeFaultProxy {
  /** As the API server's, with another port. */
  readonly url: string;
  /** Breaks all connections off. */
  readonly reset: () => void;
  /** From now on nothing goes through, and nobody is told: connections stay, and new ones are taken. */
  readonly stall: () => void;
  /** What was stalled goes on, if anybody still waits for it. */
  readonly goOn: () => void;
  /** New connections are broken off. */
  readonly refuse: (yes: boolean) => void;
  readonly connections: () => number;
}

export async function startKubeFaultProxy(
  context: Pick<TestContext, "onTestFinished">,
  server: string,
): Promise<KubeFaultProxy> {
  const target = new URL(server);
  const open = new Map<Socket, Socket>();
  let stalled = false;
  let refused = false;
  const cut = (): void => {
    for (const [client, behind] of open) {
      client.resetAndDestroy();
      behind.destroy();
    }
  };
  const listener = createServer((client) => {
    if (refused) {
      client.resetAndDestroy();
      return;
    }
    const behind = connect(Number(target.port), target.hostname);
    open.set(client, behind);
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      from.on("error", () => {});
      from.on("close", () => {
        open.delete(client);
        to.destroy();
      });
      from.on("data", (bytes) => void to.write(bytes));
      if (stalled) from.pause();
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  context.onTestFinished(async () => {
    const closed = once(listener, "close");
    listener.close();
    cut();
    await closed;
  });
  const each = (act: (socket: Socket) => void): void => {
    for (const pair of open) for (const socket of pair) act(socket);
  };
  return {
    url: `https://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    reset: cut,
    stall: () => {
      stalled = true;
      each((socket) => socket.pause());
    },
    goOn: () => {
      stalled = false;
      each((socket) => socket.resume());
    },
    refuse: (yes) => {
      refused = yes;
    },
    connections: () => open.size,
  };
}
