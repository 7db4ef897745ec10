import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A wire between a client and a server that can be cut. */
export interface Link {
  /** Where clients connect to. */
  readonly address: string;
  /** Destroys every connection, without a word of HTTP/2. New ones are let through. */
  readonly cut: () => void;
  /** Carries nothing more in either direction, and closes nothing: what a dead network looks like. */
  readonly freeze: () => void;
  readonly close: () => void;
}

/** Carries bytes between `address` (`host:port`) and whoever connects. */
export async function createLink(address: string): Promise<Link> {
  const colon = address.lastIndexOf(":");
  const [host, port] = [address.slice(0, colon), Number(address.slice(colon + 1))];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    const onward = keep(connect(port, host));
    keep(client).on("close", () => onward.destroy());
    onward.on("close", () => client.destroy());
    client.pipe(onward);
    onward.pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    freeze: () => {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    close: () => {
      cut();
      server.close();
    },
  };
}
