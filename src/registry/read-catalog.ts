import { decode } from "../base/decode.ts";
import type { FileRead } from "../base/read-files.ts";
import { parseDocuments, type TextDocument } from "../base/yaml-document.ts";
import { type Catalog, type CatalogEntry, createCatalog } from "../model/catalog.ts";
import type { ServiceKey } from "../model/service.ts";
import { type CatalogFormatOptions, catalogDocument } from "./catalog-format.ts";
import { boundedProblems } from "./problems.ts";
import type { RegistryProblem } from "./source.ts";

/** A whole catalog, or everything that stands in its way. */
export type CatalogResult =
  | { readonly ok: true; readonly catalog: Catalog }
  | { readonly ok: false; readonly problems: readonly RegistryProblem[] };

/** Makes one catalog out of the contents of all files; a single problem in one of them refuses the whole. */
export function parseCatalog(reads: readonly FileRead[], options: CatalogFormatOptions): CatalogResult {
  const problems: RegistryProblem[] = [];
  const entries = new Map<ServiceKey, CatalogEntry & { readonly place: string }>();
  for (const read of reads) {
    if (read.kind === "problem") {
      problems.push({ message: read.message, file: read.file });
      continue;
    }
    const documents = parseDocuments(read.text);
    if (documents.length === 0) problems.push(emptyFile(read.file));
    for (const document of documents) {
      const parsed = parseDocument(document, read.file, options);
      problems.push(...parsed.problems);
      for (const [index, entry] of parsed.entries.entries()) {
        const { line, column } = document.locate(`/services/${index}`);
        const first = entries.get(entry.service.key);
        if (first === undefined) entries.set(entry.service.key, { ...entry, place: `${read.file}:${line}` });
        else problems.push({ ...twice(entry, first.place), file: read.file, line, column });
      }
    }
  }
  return problems.length > 0
    ? { ok: false, problems: boundedProblems(problems) }
    : { ok: true, catalog: createCatalog(entries.values()) };
}

interface ParsedDocument {
  readonly entries: readonly CatalogEntry[];
  readonly problems: readonly RegistryProblem[];
}

function parseDocument(document: TextDocument, file: string, options: CatalogFormatOptions): ParsedDocument {
  if (document.problems.length > 0) {
    const problems = document.problems.map(({ message, hint, line, column }) => ({
      message,
      ...(hint !== undefined && { hint }),
      file,
      line,
      column,
    }));
    return { entries: [], problems };
  }
  const decoded = decode(catalogDocument(options), document.value);
  const problems = decoded.problems
    .map(({ code, pointer, message, hint }) => ({
      message,
      ...(hint !== undefined && { hint }),
      file,
      ...document.locate(pointer, code === "unknown-field" ? "key" : "value"),
    }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
  return { entries: decoded.ok ? decoded.value : [], problems };
}

/** A file that is being written anew must not look like a mesh without services. */
const emptyFile = (file: string): RegistryProblem => ({
  message: "The file is empty.",
  hint: "Write `services: []` for a catalog without services.",
  file,
});

const twice = ({ service }: CatalogEntry, place: string): RegistryProblem => ({
  message: `The service ${service.hostname} of namespace ${service.namespace} is there already, in ${place}.`,
  hint: "Put all its instances into one place.",
});
