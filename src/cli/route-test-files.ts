import { type Decoder, decode } from "../base/decode.ts";
import { MeshError } from "../base/errors.ts";
import { readFiles } from "../base/read-files.ts";
import { parseDocuments, type TextDocument, type TextPosition } from "../base/yaml-document.ts";
import { type RouteSuite, routeSuite } from "../explain/route-test.ts";
import { expectPaths, problemLine } from "./inputs.ts";

/** Tests of one document of a file. */
export interface SuiteDocument {
  /** The file; of several documents which one. */
  readonly name: string;
  readonly file: string;
  /** Of the whole file. */
  readonly text: string;
  readonly suite: RouteSuite;
  readonly locate: TextDocument["locate"];
}

interface Problem extends TextPosition {
  readonly file: string;
  readonly message: string;
  readonly hint?: string;
}

/** All tests of these files. Throws `usage/invalid` with every problem of all of them. */
export async function readSuites(paths: readonly string[]): Promise<readonly SuiteDocument[]> {
  await expectPaths(paths);
  // One by one: a path that is given is a file, whatever its name; a directory holds more than tests.
  const reads = await Promise.all(paths.map((path) => readFiles({ paths: [path], match: () => false })));
  const documents: SuiteDocument[] = [];
  const problems: Problem[] = [];
  for (const [index, path] of paths.entries()) {
    const [read] = reads[index] ?? [];
    if (read?.kind !== "text") {
      const reason = read?.message ?? "It is a directory: name its files.";
      throw new MeshError("usage/invalid", `cannot read ${path}: ${reason}`);
    }
    const found = parseDocuments(read.text);
    if (found.length === 0) throw new MeshError("usage/invalid", `there are no tests in ${path}`);
    for (const [place, document] of found.entries()) {
      const name = found.length === 1 ? path : `${path}, document ${place + 1}`;
      const decoded = readDocument(routeSuite, document, path);
      if (decoded.ok)
        documents.push({ name, file: path, text: read.text, suite: decoded.value, locate: document.locate });
      else problems.push(...decoded.problems);
    }
  }
  if (problems.length === 0) return documents;
  throw new MeshError("usage/invalid", `the tests have problems\n${problems.map(problemLine).join("\n")}`);
}

type ReadDocument<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Problems in the order of the text. */
function readDocument<T>(
  decoder: Decoder<T>,
  { value, problems, locate }: TextDocument,
  file: string,
): ReadDocument<T> {
  if (problems.length > 0) return { ok: false, problems: problems.map((problem) => ({ ...problem, file })) };
  const decoded = decode(decoder, value);
  if (decoded.ok) return decoded;
  const placed = decoded.problems.map(({ code, pointer, message, hint }) => ({
    ...{ file, message, ...locate(pointer, code === "unknown-field" ? "key" : "value") },
    ...(hint !== undefined && { hint }),
  }));
  return { ok: false, problems: placed.sort((a, b) => a.line - b.line || a.column - b.column) };
}
