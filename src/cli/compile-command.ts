import type { Command } from "./command.ts";
import { offlineFlags } from "./offline-flags.ts";
import { outputFlag } from "./output.ts";

export const compileCommand: Command = {
  name: "compile",
  summary: "show what a proxy would get, as proto JSON",
  details:
    "Works without a server. Prints {listeners, clusters, routes, endpoints}, each a list ordered by name.\n" +
    "--why takes a JSON pointer into that and names the rule, file and line behind the field.\n" +
    "Rules with errors are left out, told on standard error, and make the exit code 1.",
  flags: [
    { flags: "--node <file>", summary: "the proxy: an Envoy node, or an Envoy bootstrap with one", required: true },
    ...offlineFlags,
    { flags: "--why <pointer>", summary: "who is behind this field" },
    { ...outputFlag, summary: "how to print the answer to --why" },
  ],
  examples: [
    {
      line: "fairway compile --rules rules/ --catalog catalog.yaml --node reviews.json",
      summary: "all that the proxy would get",
    },
    {
      line: "fairway compile --rules rules/ --catalog catalog.yaml --node envoy.yaml --why /routes/0/virtualHosts/0/routes/0/route/weightedClusters/clusters/1/weight",
      summary: "the rule and line behind a weight",
    },
  ],
  // Most of what it needs is of no use to other commands, and takes time to load.
  run: async (input, io) => (await import("./compile.ts")).compile(input, io),
};
