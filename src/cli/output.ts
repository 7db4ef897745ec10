import type { CliIo, Flag, FlagValues } from "./command.ts";

/** `-o json` of every command that prints data. */
export const outputFlag: Flag = {
  flags: "-o, --output <format>",
  summary: "how to print it",
  choices: ["text", "json"],
  default: "text",
};

/** Of commands whose table has more columns than most people want. */
export const tableOutputFlag: Flag = { ...outputFlag, choices: ["text", "wide", "json"] };

export const wantsJson = (flags: FlagValues): boolean => flags["output"] === "json";

/** One JSON value, indented, with a line end. */
export function writeJson(io: CliIo, value: unknown): void {
  io.out(`${JSON.stringify(value, undefined, 2)}\n`);
}
