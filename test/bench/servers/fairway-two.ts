import { freePort } from "../../support/free-port.ts";
import { startFairway } from "./fairway.ts";
import type { BenchServer, ServerKind } from "./server.ts";

/**
 * Two processes of ours on one port, each with half of the proxies: what a second thread for streams could gain at most, as each
 * of them compiles for itself.
 */
export const fairwayTwo: ServerKind = {
  name: "fairway-two",
  ...{ scopes: true, restarts: true, exact: true },
  start: async () => {
    const port = await freePort();
    return asOne(await startFairway({ port, shared: true }), await startFairway({ port, shared: true }));
  },
};

function asOne(...servers: readonly [BenchServer, ...BenchServer[]]): BenchServer {
  const all = async (work: (server: BenchServer) => Promise<void>): Promise<void> => {
    await Promise.all(servers.map(work));
  };
  return {
    address: servers[0].address,
    pids: () => servers.flatMap((server) => server.pids()),
    readyMs: () => Math.max(...servers.map((server) => server.readyMs())),
    load: (mesh, groups) => all((server) => server.load(mesh, groups)),
    expectGroups: (groups) => all((server) => server.expectGroups(groups)),
    versionOf: servers[0].versionOf,
    prepare: (edit, next) => {
      const prepared = servers.map((server) => server.prepare(edit, next));
      return {
        send: async () => {
          await Promise.all(prepared.map(({ send }) => send()));
        },
      };
    },
    restart: () => all((server) => server.restart()),
    stop: () => all((server) => server.stop()),
  };
}
