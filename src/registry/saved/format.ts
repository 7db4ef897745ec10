import { createHash } from "node:crypto";
import { decode } from "../../base/decode.ts";
import { optional, required } from "../../base/decode-object.ts";
import { anyText, number, shape, word } from "../../base/shape.ts";
import { type CatalogEntry, createCatalog } from "../../model/catalog.ts";
import type { LastGood } from "../guard/guarded.ts";
import type { OperatorHold } from "../source.ts";

/*
 * A catalog as text: one JSON value a line, so that it is written in parts. The first line says what it is; each other one is a service with its instances;
 * the last is a hash of all before it. As nobody else writes such a text, one whose hash is right is believed to the letter.
 */

/** Of what is written here: where a text of before would be misread, or lacks what is needed now, it becomes a new one. */
const version = 1;

interface Head {
  readonly format: "fairway-catalog";
  readonly version: number;
  readonly registry: string;
  readonly place: string;
  readonly savedAt: number;
  readonly hold?: OperatorHold;
}

/** Whose catalog it is. */
export interface Owner {
  readonly registry: string;
  /** Where the registry reads: what it knew of another place is of no use. */
  readonly place: string;
}

/** Instances are written together up to this number; those of one service at once. */
const instancesPerPart = 500;

/** The text in parts, none of which takes long to make. */
export function* savedText(owner: Owner, { catalog, savedAt, hold }: LastGood): Generator<string, undefined> {
  const hash = createHash("sha256");
  const head: Head = { format: "fairway-catalog", version, ...owner, savedAt, ...(hold && { hold }) };
  let part = `${JSON.stringify(head)}\n`;
  let inPart = 0;
  for (const [key, service] of catalog.services) {
    const entry: CatalogEntry = { service, instances: catalog.instances.get(key) ?? [] };
    part += `${JSON.stringify(entry)}\n`;
    inPart += entry.instances.length + 1;
    if (inPart < instancesPerPart) continue;
    hash.update(part);
    yield part;
    [part, inPart] = ["", 0];
  }
  yield `${part}${hash.update(part).digest("hex")}\n`;
  return undefined;
}

const hashLength = 64;

/** What was saved, or why it is of no use; a whole sentence. */
export function readSaved(content: string, owner: Owner): LastGood | string {
  const end = content.length - hashLength - 1;
  const body = content.slice(0, Math.max(0, end));
  if (content.slice(end) !== `${createHash("sha256").update(body).digest("hex")}\n`) {
    return "It is not as it was written.";
  }
  const [first = "", ...lines] = body.trimEnd().split("\n");
  const decoded = decode(headShape, JSON.parse(first));
  if (!decoded.ok) return "Its first line says no catalog.";
  const { savedAt, hold, ...head } = decoded.value;
  if (head.version !== version) return `It is of version ${head.version}; this program reads version ${version}.`;
  if (head.registry !== owner.registry || head.place !== owner.place) {
    return `It is of the registry ${head.registry} at ${head.place}.`;
  }
  const catalog = createCatalog(lines.map((line): CatalogEntry => JSON.parse(line)));
  return { catalog, savedAt, ...(hold && { hold }) };
}

const headShape = shape<Head>({
  format: required(word("fairway-catalog")),
  version: required(number),
  registry: required(anyText),
  place: required(anyText),
  savedAt: required(number),
  hold: optional(shape<OperatorHold>({ by: required(anyText), since: required(number) })),
});
