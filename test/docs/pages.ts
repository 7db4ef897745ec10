import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** A Markdown page of this repository. */
export interface Page {
  /** Below the root. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of code. */
export interface Block {
  /** What stands behind the opening fence: a language, and sometimes what the block is. */
  readonly language: string;
  readonly info: string;
  readonly text: string;
}

export const pages: readonly Page[] = globSync(["*.md", "docs/**/*.md"], { cwd: root })
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

export function pageAt(path: string): Page {
  const page = pages.find((one) => one.path === path);
  if (page === undefined) throw new Error(`there is no page ${path}`);
  return page;
}

export const blocksOf = ({ text }: Page): readonly Block[] =>
  [...text.matchAll(/^```(\w*) ?(.*)\n([\s\S]*?)^```$/gm)].map(([, language = "", info = "", body = ""]) => ({
    language,
    info,
    text: body,
  }));

/** All code of a page: the lines of its blocks, and what stands between backticks. */
export function codeOf(page: Page): readonly string[] {
  const inline = page.text.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`]+)`/g);
  return [...blocksOf(page).flatMap(({ text }) => text.split("\n")), ...[...inline].map(([, code = ""]) => code)];
}

/** The names that links may have behind a `#`, as they are made from headings. */
export const anchorsOf = ({ text }: Page): ReadonlySet<string> =>
  new Set(
    [...text.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );

/** What a page shows of a terminal: a command line, and what it prints. */
export interface Step {
  readonly command: string;
  readonly shown: string;
  /** What the block is, behind its language. */
  readonly info: string;
}

/** The steps of all blocks in `console`, in their order. */
export const stepsOf = (page: Page): readonly Step[] =>
  blocksOf(page)
    .filter(({ language }) => language === "console")
    .flatMap(({ text, info }) =>
      text
        .split(/^\$ /m)
        .slice(1)
        .map((step): Step => {
          const [command = ""] = /^(?:.*\\\n)*.*/.exec(step) ?? [];
          return { command, shown: step.slice(command.length + 1), info };
        }),
    );
