import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Cleanup } from "./envoy.ts";
import type { NetNamespace } from "./net-namespaces.ts";
import { waitFor } from "./wait-for.ts";

export interface NamespaceRelayOptions {
  readonly cleanup: Cleanup;
  readonly in: NetNamespace;
  readonly host: string;
  readonly port: number;
  /** Of 127.0.0.1 outside. */
  readonly target: number;
  /** Holds its socket. */
  readonly dir: string;
}

/** Who connects to `host:port` inside a namespace comes to a port of 127.0.0.1 outside of all of them. */
export async function relayOut(options: NamespaceRelayOptions): Promise<void> {
  const { cleanup, in: namespace, host, port, target, dir } = options;
  const path = join(dir, `relay-${port}.sock`);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const outside = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [client, outside],
      [outside, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.listen(path);
  await once(server, "listening");
  cleanup(async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  const said: string[] = [];
  const program = join(import.meta.dirname, "socket-relay.ts");
  await namespace.start([process.execPath, program, host, String(port), path], (line) => said.push(line));
  await waitFor(() => said.includes("ready"), { withinMs: 30_000, what: "the relay" });
}
