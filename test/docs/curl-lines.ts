import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Block } from "./pages.ts";

/** A `curl` of a page: as it stands there, and the status that the page says. */
export interface CurlLine {
  readonly text: string;
  readonly expected: number | undefined;
}

/** What was answered. */
export interface CurlAnswer extends CurlLine {
  readonly status: number;
  readonly body: string;
}

/** The commands of a block; a line that begins none goes on with the one before. */
const commandsOf = ({ text }: Block): readonly string[] => text.trimEnd().split(/\n(?=curl |[A-Z]+=|npx |fairway |#)/);

const isCurl = (line: string): boolean => line.startsWith("curl ");

export const curlLinesOf = (block: Block): readonly CurlLine[] =>
  commandsOf(block)
    .filter(isCurl)
    .map((text) => {
      const status = / # (\d{3})$/.exec(text)?.[1];
      return { text, expected: status === undefined ? undefined : Number(status) };
    });

// A watch has no end of its own.
const wrapper = `
n=0
curl() {
  local limit=10; [[ " $* " == *" -N "* ]] && limit=0.4
  n=$((n + 1))
  echo "$(command curl --silent --max-time $limit --output "body-$n" --write-out '%{http_code}' "$@")"
}
`;

/** Runs the shell blocks of a page, one after the other in one shell; `here`: a line as it must be where the test runs. */
export async function runCurlLines(
  blocks: readonly Block[],
  { cwd, here }: { readonly cwd: string; readonly here: (line: string) => string },
): Promise<readonly CurlAnswer[]> {
  const lines = blocks.flatMap(curlLinesOf);
  const script = wrapper + here(blocks.map(({ text }) => text).join("\n"));
  const { stdout } = await promisify(execFile)("bash", ["-c", script], { cwd });
  const statuses = stdout.trim().split("\n");
  return lines.map((line, index) => ({
    ...line,
    status: Number(statuses[index]),
    body: readBody(join(cwd, `body-${index + 1}`)),
  }));
}

function readBody(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // Nothing came.
  }
}
