import { stat } from "node:fs/promises";
import { type Decoder, decode, fail, list, type Problem, parsed, refined, text } from "../base/decode.ts";
import { object, optional, required, withDefault } from "../base/decode-object.ts";
import { MeshError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { readFiles } from "../base/read-files.ts";
import { parseDocuments, type TextDocument } from "../base/yaml-document.ts";
import { problemLine } from "./inputs.ts";
import { serverUrl } from "./server-url.ts";

/** A server that a user works with, under a name of the user's own. */
export interface Context {
  readonly name: string;
  readonly server: string;
  readonly token?: string;
  /** A file that holds the token; relative to the file of contexts. */
  readonly tokenFile?: string;
  readonly namespace?: string;
}

export interface Contexts {
  readonly current?: string;
  readonly contexts: readonly Context[];
}

export const noContexts: Contexts = { contexts: [] };

const maxBytes = 1024 * 1024;
const word = parsed(
  (value) => (/^[A-Za-z0-9._@-]+$/.test(value) ? value : undefined),
  "a name of letters, digits and . _ @ -",
  { maxLength: 100 },
);

const context: Decoder<Context> = refined(
  object({
    name: required(word),
    server: required(
      parsed((value) => (serverUrl(value) === undefined ? undefined : value), "the address of a server", {
        hint: "For example https://fairway.example:15080.",
      }),
    ),
    token: optional(text({ maxLength: 512 })),
    tokenFile: optional(text({ maxLength: 4096 })),
    namespace: optional(word),
  }),
  ({ token, tokenFile }, site) => {
    if (token !== undefined && tokenFile !== undefined) {
      fail(site, "conflict", "There are a token and a tokenFile.", "Keep one of them.");
    }
  },
);

export const contextsDecoder: Decoder<Contexts> = refined(
  object({ current: optional(word), contexts: withDefault(list(context, { max: 1_000 }), []) }),
  ({ contexts }, site) => {
    const seen = new Set<string>();
    for (const { name } of contexts) {
      if (seen.has(name)) fail(site, "conflict", `There are two contexts of the name ${name}.`, "Rename one of them.");
      seen.add(name);
    }
  },
);

/** The text of a file of contexts; empty where there is none. Throws `usage/invalid`. */
export async function readContextsText(file: string): Promise<string> {
  const [read] = await readFiles({ paths: [file], limits: { maxFileBytes: maxBytes, maxFiles: 1 } });
  if (read?.kind === "text") return read.text;
  if (read?.problem === "missing") return "";
  throw new MeshError("usage/invalid", `cannot read the contexts in ${file}: ${read?.message ?? "It is a directory."}`);
}

/** Throws `usage/invalid` with the place of every problem, and for tokens that others could read. */
export async function readContexts(file: string): Promise<Contexts> {
  const contexts = decodeContexts(file, await readContextsText(file));
  if (contexts.contexts.some(({ token }) => token !== undefined)) await expectPrivate(file);
  return contexts;
}

export function decodeContexts(file: string, content: string): Contexts {
  const [document, second] = parseDocuments(content);
  if (document === undefined) return noContexts;
  const problems = [
    ...document.problems,
    ...(second === undefined ? [] : [{ ...second.start, message: "A file of contexts is one document." }]),
  ];
  const decoded = decode(contextsDecoder, document.value);
  if (decoded.ok && problems.length === 0) return decoded.value;
  const told = problems.length > 0 ? problems : decoded.problems.map((problem) => placed(problem, document));
  throw new MeshError(
    "usage/invalid",
    `the contexts have problems\n${told.map((problem) => problemLine({ file, ...problem })).join("\n")}`,
  );
}

function placed(problem: Problem, document: TextDocument) {
  return { ...problem, ...document.locate(problem.pointer, problem.code === "unknown-field" ? "key" : "value") };
}

/** Throws `usage/invalid` for a file with secrets that others may read. */
export async function expectPrivate(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o077) === 0) return;
  throw new MeshError("usage/invalid", `others can read ${file}, and there is a token in it`, {
    hint: `\`chmod 600 ${file}\` makes it yours alone. Whoever could read it has the token: make a new one.`,
  });
}

/** Throws `usage/invalid` where there is no such context. */
export function contextNamed({ contexts }: Contexts, name: string, file: string): Context {
  const found = contexts.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = contexts.map((one) => one.name);
  const near = nearest(name, names);
  const known = names.length === 0 ? `There is none in ${file}.` : `Known are ${names.join(", ")}.`;
  throw new MeshError("usage/invalid", `there is no context ${JSON.stringify(name)}`, {
    hint: near === undefined ? known : `Did you mean ${near}?`,
  });
}
