import type { CliIo } from "./command.ts";

/** How a piece of text stands out; without colours it does not. */
export type Tone = "plain" | "strong" | "quiet" | "good" | "caution" | "bad" | "accent";

export type Style = (tone: Tone, text: string) => string;

const codes: Readonly<Record<Tone, readonly [number, number] | undefined>> = {
  plain: undefined,
  strong: [1, 22],
  quiet: [2, 22],
  good: [32, 39],
  caution: [33, 39],
  bad: [31, 39],
  accent: [36, 39],
};

export const plainStyle: Style = (_tone, text) => text;

export const colourStyle: Style = (tone, text) => {
  const code = codes[tone];
  return code === undefined || text === "" ? text : `\u001b[${code[0]}m${text}\u001b[${code[1]}m`;
};

/** Colours only at a terminal that can show them, and not where NO_COLOR is set (no-color.org). */
export function styleFor({ terminal, env }: Pick<CliIo, "terminal" | "env">): Style {
  const wanted = terminal !== undefined && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return wanted ? colourStyle : plainStyle;
}
