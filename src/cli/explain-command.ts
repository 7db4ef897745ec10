import type { Command } from "./command.ts";
import { offlineFlags } from "./offline-flags.ts";
import { outputFlag } from "./output.ts";
import { serverFlags } from "./server.ts";

export const explainCommand: Command = {
  name: "explain",
  summary: "where a request goes that a proxy gets, and why",
  details:
    "Decided as Envoy would decide, on what the proxy would get now; nothing is sent. " +
    "Tells the listener, the route, what is rewritten, the clusters with their shares, the endpoints, " +
    "and of the routes that come before it what was in their way.\n" +
    "With --rules or --catalog it works without a server, and --from is a file with an Envoy node; " +
    "with --config-dump it speaks of what a running Envoy has.\n" +
    "Method and URL come before the options that take several.\n" +
    "tcp:// and tls:// stand for connections without requests.\n" +
    "Exit code 1 when the request ends without reaching a service, a redirect, or an answer below 400.",
  arguments: "<method> <url>",
  argumentWords: [["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"], []],
  flags: [
    { flags: "--from <proxy>", summary: "the proxy: its node.id, its name or name.namespace; offline a node file" },
    { flags: "-H, --header <header>", summary: "a header of the request, such as 'x-user: bob'", repeats: true },
    { flags: "--listener <name>", summary: "the listener (default: the one that the URL leads to)" },
    { flags: "--destination <address>", summary: "the address that the client dials, with its port" },
    { flags: "--inbound", summary: "the workload beside the proxy is called (default: it calls)" },
    { flags: "--source <address>", summary: "the address that the client comes from, with its port" },
    { flags: "--sni <name>", summary: "the server name of TLS (default: the URL's host)" },
    { flags: "--alpn <protocol>", summary: "an application protocol that the client offers", repeats: true },
    ...offlineFlags,
    { flags: "--config-dump <file>", summary: "what an Envoy's /config_dump?include_eds said" },
    outputFlag,
    ...serverFlags,
  ],
  examples: [
    {
      line: "fairway explain --from web-1.shop GET http://reviews:9080/api -H 'x-user: bob'",
      summary: "what becomes of a request that web-1 sends",
    },
    {
      line: "fairway explain GET http://reviews:9080/ --from web.json --rules rules/ --catalog catalog.yaml",
      summary: "the same by files alone, before they are applied",
    },
    {
      line: "curl -s '127.0.0.1:15000/config_dump?include_eds' | fairway explain --config-dump - GET http://reviews:9080/",
      summary: "by what a running Envoy has",
    },
  ],
  // Most of what it needs is of no use to other commands, and takes time to load.
  run: async (input, io) => (await import("./explain.ts")).explainRequest(input, io),
};
