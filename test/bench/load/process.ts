import type { LoadCommand } from "./commands.ts";
import { createFleet, type Fleet } from "./fleet.ts";

/* The load generator: a process of its own, told what to do by messages; it answers each with one, and ends with who started it. */

export type LoadAnswer = { readonly report: unknown } | { readonly failure: string };

let fleet: Fleet | undefined;

async function carryOut(command: LoadCommand): Promise<unknown> {
  if (command.do === "setup") {
    fleet = createFleet(command.spec);
    return undefined;
  }
  if (fleet === undefined) throw new Error("the fleet was not set up");
  const act = fleet[command.do] as (command: LoadCommand) => unknown;
  return act(command);
}

process.on("message", (command: LoadCommand) => {
  const answer = (text: LoadAnswer): void => void process.send?.(text);
  carryOut(command).then(
    (report) => answer({ report }),
    (cause: unknown) => answer({ failure: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) }),
  );
});
process.on("disconnect", () => process.exit());
