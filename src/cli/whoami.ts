import { whoAmIView } from "../api/shapes/access.ts";
import type { CliIo, Command, CommandInput, ExitCode } from "./command.ts";
import { outputFlag, wantsJson, writeJson } from "./output.ts";
import { askJson, pathOf } from "./request.ts";
import { serverFlags, serverOf } from "./server.ts";
import { styleFor } from "./style.ts";
import { visibleText } from "./terminal-text.ts";

export const whoamiCommand: Command = {
  name: "whoami",
  summary: "say who you are to the server, and what you may do",
  flags: [outputFlag, ...serverFlags],
  examples: [{ line: "fairway whoami", summary: "is my token good?" }],
  run: whoami,
};

async function whoami({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const server = await serverOf(flags, io);
  const { raw, value } = await askJson(server, { path: pathOf("whoami") }, whoAmIView);
  const style = styleFor(io);
  if (wantsJson(flags)) writeJson(io, raw);
  else io.out(`${style("strong", visibleText(value.name))}, ${value.role}, at ${server.url.origin}\n`);
  return 0;
}
