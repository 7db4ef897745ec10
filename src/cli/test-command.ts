import type { Command } from "./command.ts";
import { offlineFlags } from "./offline-flags.ts";
import { outputFlag } from "./output.ts";
import { serverFlags } from "./server.ts";

export const testCommand: Command = {
  name: "test",
  summary: "run tests of routes: where requests go, and what becomes of them",
  details:
    "A file has one or several documents, each with a proxy and tests: a request, and the rule, service, subset, status, " +
    "rewritten path, headers or shares that are expected (docs/route-tests.md).\n" +
    "Decided as Envoy would decide, on what a server would give the proxy now; nothing is sent. " +
    "With --rules or --catalog it works without a server; with --config-dump it speaks of what a running Envoy has; " +
    "with --live the requests are sent, and what can be seen of the answers is compared.\n" +
    "Files come before the options that take several.\n" +
    "Exit code 1 when a test fails, when all are skipped, and when rules were left out as they have errors.",
  arguments: "<file...>",
  argumentWords: ["files"],
  flags: [
    { flags: "--only <text>", summary: "only tests whose name contains this" },
    ...offlineFlags,
    { flags: "--config-dump <file>", summary: "what an Envoy's /config_dump?include_eds said" },
    {
      flags: "--live <url>",
      summary: "a running proxy that gets the requests; one for http and one for https may be given",
      repeats: true,
    },
    { flags: "--insecure", summary: "with --live: take any certificate" },
    { ...outputFlag, choices: ["text", "json", "junit"] },
    { flags: "--junit <file>", summary: "write a report in JUnit's XML, beside what is printed" },
    ...serverFlags,
  ],
  examples: [
    {
      line: "fairway test route-tests.yaml --rules rules/ --catalog catalog.yaml",
      summary: "by files alone, before they are applied",
    },
    { line: "fairway test tests/*.yaml --junit report.xml", summary: "by what a server would give the proxies" },
    {
      line: "fairway test route-tests.yaml --only canary --live http://127.0.0.1:8080",
      summary: "by what a running proxy answers",
    },
  ],
  // Most of what it needs is of no use to other commands, and takes time to load.
  run: async (input, io) => (await import("./test.ts")).testRoutes(input, io),
};
