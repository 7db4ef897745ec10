import type { Command } from "../cli/command.ts";
import { serveFlags } from "./options.ts";

export const serveCommand: Command = {
  name: "serve",
  summary: "run the control plane",
  details:
    "Every option may come from a flag, the environment (FAIRWAY_RULES, FAIRWAY_XDS, …) " +
    "or a file (--config), in this order.\n" +
    "Rules and catalogs are watched: saving a file is enough. SIGTERM drains; a second one ends at once.",
  flags: serveFlags,
  examples: [
    {
      line: "fairway serve --rules rules/ --catalog catalog.yaml",
      summary: "watch a directory of rules and a file of services",
    },
    {
      line: "fairway serve --rules rules/ --kubeconfig ~/.kube/config",
      summary: "take the services of a Kubernetes cluster",
    },
    { line: "fairway serve --config fairway.yaml --log-format json", summary: "take the options from a file" },
  ],
  // Most of what it needs is of no use to other commands, and takes time to load.
  run: async ({ flags }, io) => (await import("./serve.ts")).serve(flags, io),
};
