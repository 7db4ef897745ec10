import type { Command } from "../../cli/command.ts";

export const devCommand: Command = {
  name: "dev",
  summary: "run a control plane and an example mesh with real Envoys here",
  details:
    "Three small services, two of them in two versions, an Envoy beside each and one as gateway, all on loopback.\n\n" +
    "Most rules are files below --data: edit one, save it, and see who took it and where requests go.\n" +
    "One is kept by the store: change it with `fairway apply` or any HTTP client.\n\n" +
    "FAIRWAY_ENVOY=container runs the Envoys in containers (Docker or podman).",
  flags: [
    { flags: "--data <dir>", summary: "directory for rules and logs, made when missing", default: "fairway-dev" },
  ],
  examples: [
    { line: "fairway dev", summary: "start; rules are in ./fairway-dev/rules" },
    { line: "fairway dev --data /tmp/mesh", summary: "keep the rules elsewhere" },
  ],
  // Most of what it needs is of no use to other commands, and takes time to load.
  run: async (input, io) => (await import("./dev.ts")).dev(input, io),
};
