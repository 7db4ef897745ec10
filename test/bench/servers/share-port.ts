import { Server } from "node:net";

/*
 * Loaded into servers of ours before their own code (`node --import`): several of them listen on the port that the environment
 * names, and the system gives each new connection to one of them.
 */

const shared = Number(process.env["FAIRWAY_BENCH_SHARED_PORT"]);
const listen = Server.prototype.listen as (...args: unknown[]) => Server;

Server.prototype.listen = function (this: Server, ...[first, ...rest]: unknown[]) {
  const isShared = typeof first === "object" && first !== null && "port" in first && first.port === shared;
  return listen.call(this, isShared ? { ...first, reusePort: true } : first, ...rest);
} as typeof Server.prototype.listen;
