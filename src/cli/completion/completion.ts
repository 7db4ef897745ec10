import { oneOf } from "../../base/decode.ts";
import { MeshError } from "../../base/errors.ts";
import type { Command, CommandRow } from "../command.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { type CompletionTable, completionTable } from "./words.ts";
import { zshCompletion } from "./zsh.ts";

const shells: Readonly<Record<string, (table: CompletionTable) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `rows`: every command, this one too. */
export const completionCommand = (rows: () => readonly CommandRow[]): Command => ({
  name: "completion",
  summary: "print a script that makes a shell complete commands, options, kinds and contexts",
  arguments: "<shell>",
  argumentWords: [Object.keys(shells)],
  flags: [],
  examples: [
    { line: "source <(fairway completion bash)", summary: "in ~/.bashrc; zsh takes the same with zsh" },
    { line: "fairway completion fish > ~/.config/fish/completions/fairway.fish", summary: "for fish" },
  ],
  run: async ({ arguments: [shell = ""] }, io) => {
    const script = Object.hasOwn(shells, shell) ? shells[shell] : undefined;
    if (script === undefined) {
      throw new MeshError("usage/invalid", `there is no completion for ${JSON.stringify(shell)}`, {
        hint: `Say ${oneOf(Object.keys(shells))}.`,
      });
    }
    io.out(script(completionTable(rows())));
    return 0;
  },
});
