import { type JsonPointer, pointerTo } from "../base/json-pointer.ts";
import { memoize } from "../base/memo.ts";

/** Who is behind a part of a resource. */
export type Origin =
  /** A field of a rule: the rule's key (`Kind/namespace/name`) and a JSON pointer into its document. */
  | { readonly kind: "rule"; readonly rule: string; readonly pointer: JsonPointer }
  /** A service, or one of its instances, as a registry reports it. */
  | { readonly kind: "registry"; readonly registry: string; readonly service: string; readonly instance?: string }
  /** A mesh setting or a built-in default, by name. */
  | { readonly kind: "setting"; readonly name: string }
  /** Put in by us so that no reference dangles; why. */
  | { readonly kind: "repair"; readonly reason: string };

/** One row: the part of the resource (a pointer into its proto JSON) and who gave it. */
export interface ProvenanceRow {
  readonly pointer: JsonPointer;
  readonly origins: readonly Origin[];
}

/** Every row of a resource, in document order. */
export type Provenance = readonly ProvenanceRow[];

const traceKey = Symbol("fairway.trace");
const packedKey = Symbol("fairway.packed");

interface Trace {
  readonly self: readonly Origin[];
  readonly fields: Readonly<Record<string, Origin>>;
}

type Traced = { [traceKey]?: Trace; [packedKey]?: object };

/**
 * Notes on a message (and on single fields of it, by their TypeScript name) who gave it. The note travels with the object
 * and never reaches the wire; `collectProvenance` gathers the notes of a finished resource.
 */
export function trace<T extends object>(
  message: T,
  self: Origin | readonly Origin[],
  fields: Readonly<Record<string, Origin>> = {},
): T {
  const origins = Array.isArray(self) ? (self as readonly Origin[]) : [self as Origin];
  Object.defineProperty(message, traceKey, { value: { self: origins, fields } satisfies Trace, configurable: true });
  return message;
}

/** Remembers which message an `Any` was packed from, so that its notes are not lost. */
export function rememberPacked<T extends object>(any: T, message: object): T {
  Object.defineProperty(any, packedKey, { value: message, configurable: true });
  return any;
}

/** Gathers the notes of a message and all that is inside it, with pointers into its proto JSON; remembered with the message. */
export const collectProvenance: (message: object) => Provenance = memoize((message: object) => {
  const rows: ProvenanceRow[] = [];
  visit(message, [], rows);
  return rows;
});

/** From the resource down to what is looked at. Most of it has no notes, so a pointer is made where there is one. */
type Path = (string | number)[];

const pointerOf = (path: Path): JsonPointer => path.reduce<JsonPointer>(pointerTo, "");

function visit(value: unknown, path: Path, rows: ProvenanceRow[]): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visitStep(item, index, path, rows);
    return;
  }
  const packed = (value as Traced)[packedKey];
  if (packed !== undefined) {
    visit(packed, path, rows);
    return;
  }
  const note = (value as Traced)[traceKey];
  if (note !== undefined) {
    const pointer = pointerOf(path);
    if (note.self.length > 0) rows.push({ pointer, origins: note.self });
    for (const [field, origin] of Object.entries(note.fields))
      rows.push({ pointer: pointerTo(pointer, field), origins: [origin] });
  }
  for (const [key, child] of Object.entries(value)) {
    if (isOneof(child)) visitStep(child.value, child.case, path, rows);
    else visitStep(child, key, path, rows);
  }
}

function visitStep(value: unknown, step: string | number, path: Path, rows: ProvenanceRow[]): void {
  path.push(step);
  visit(value, path, rows);
  path.pop();
}

/** protobuf-es spells a set oneof `{ case, value }`; in proto JSON the case is the field. */
function isOneof(value: unknown): value is { readonly case: string; readonly value: unknown } {
  return (
    typeof value === "object" && value !== null && "case" in value && typeof value.case === "string" && "value" in value
  );
}

/** Who gave the part that `pointer` names: the row of the part itself, or of the nearest part around it. */
export function originsAt(provenance: Provenance, pointer: JsonPointer): readonly Origin[] {
  const rows = rowsByPointer(provenance);
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf("/"))) {
    const row = rows.get(at);
    if (row !== undefined || at === "") return row?.origins ?? [];
  }
}

/** Large route tables have thousands, and an explanation asks for many. Of several for one part the last counts. */
const rowsByPointer = memoize(
  (provenance: Provenance): ReadonlyMap<JsonPointer, ProvenanceRow> =>
    new Map(provenance.map((row) => [row.pointer, row])),
);
