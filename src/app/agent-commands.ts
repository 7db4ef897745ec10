import { defaultCaptureOptions, families } from "../agent/capture-options.ts";
import type { Command, CommandGroup } from "../cli/command.ts";
import { outputFlag } from "../cli/output.ts";

const number = (name: "inboundPort" | "outboundPort" | "proxyUid" | "proxyGid" | "mark"): string =>
  String(defaultCaptureOptions[name]);

const captureCommand: Command = {
  name: "capture",
  summary: "lead this workload's connections to its proxy, by iptables",
  details:
    "Sets rules in the present network namespace, in chains of its own (FAIRWAY_…): what others have set stays. " +
    "It takes root, iptables and iproute2.\n" +
    "Running it again replaces what it set before; --remove takes all of it away. When a part fails, everything is put back.\n" +
    "Only TCP is captured. Ports and ranges are lists, separated by commas; ports may be ranges (8000-8100). What is excluded is excluded, also when it is included too.\n" +
    "Ports 15020, 15021 and 15090 (health and metrics of the proxy) are never captured.",
  flags: [
    {
      flags: "--mode <mode>",
      summary: "for inbound connections: redirect, or tproxy, which keeps the client's address",
      choices: ["redirect", "tproxy"],
      default: defaultCaptureOptions.mode,
    },
    {
      flags: "--inbound-port <port>",
      summary: "where the proxy takes inbound connections",
      default: number("inboundPort"),
    },
    { flags: "--outbound-port <port>", summary: "where it takes outbound ones", default: number("outboundPort") },
    {
      flags: "--include-inbound-ports <list>",
      summary: "inbound ports to capture; * for all, '' for none",
      default: "*",
    },
    { flags: "--exclude-inbound-ports <list>", summary: "inbound ports to leave alone" },
    { flags: "--include-outbound-ports <list>", summary: "outbound ports to capture whatever the address is" },
    { flags: "--exclude-outbound-ports <list>", summary: "outbound ports to leave alone" },
    {
      flags: "--include-outbound-ranges <list>",
      summary: "addresses (10.0.0.0/8) to capture connections to; * for all, '' for none",
      default: "*",
    },
    { flags: "--exclude-outbound-ranges <list>", summary: "addresses to leave alone" },
    { flags: "--exclude-interfaces <list>", summary: "network interfaces to leave alone" },
    { flags: "--proxy-uid <uid>", summary: "the user that the proxy runs as", default: number("proxyUid") },
    { flags: "--proxy-gid <gid>", summary: "the group that the proxy runs as", default: number("proxyGid") },
    { flags: "--exclude-uids <list>", summary: "users whose connections are left alone" },
    { flags: "--exclude-gids <list>", summary: "groups whose connections are left alone" },
    {
      flags: "--mark <number>",
      summary: "tproxy: the mark on what the proxy sends in a client's name",
      default: number("mark"),
    },
    { flags: "--families <list>", summary: "ipv4, ipv6 or both", default: families.join(",") },
    { flags: "--remove", summary: "take away what was set, in both families" },
    { flags: "--dry-run", summary: "print the rules and set nothing" },
    outputFlag,
  ],
  examples: [
    { line: "fairway agent capture", summary: "everything to the proxy beside this workload" },
    {
      line: "fairway agent capture --exclude-inbound-ports 22 --exclude-outbound-ranges 169.254.169.254/32 --dry-run",
      summary: "what would be set, with the reason for each rule",
    },
    {
      line: "fairway agent capture --include-outbound-ranges 10.96.0.0/12 --exclude-uids 0",
      summary: "only calls to services, and none of root's",
    },
    { line: "fairway agent capture --mode tproxy", summary: "let the application see its clients' addresses" },
    { line: "fairway agent capture --remove", summary: "as if it had never been" },
  ],
  run: async (input, io) => (await import("./capture.ts")).capture(input, io),
};

export const agentCommands: CommandGroup = {
  name: "agent",
  summary: "what runs beside a proxy",
  commands: [captureCommand],
};
