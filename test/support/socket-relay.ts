import { connect, createServer } from "node:net";

/*
 * node socket-relay.ts HOST PORT SOCKET: leads connections to a Unix socket, which is reached from every network namespace.
 */

const [host = "", port = "", socket = ""] = process.argv.slice(2);

createServer((client) => {
  const behind = connect(socket);
  for (const [from, to] of [
    [client, behind],
    [behind, client],
  ] as const) {
    from.on("error", () => {});
    from.on("close", () => to.destroy());
    from.pipe(to);
  }
}).listen(Number(port), host, () => console.log("ready"));
