import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { isMap, isSeq, parseDocument, type YAMLMap } from "yaml";
import { MeshError } from "../base/errors.ts";
import { makePrivateFolder, writePrivateFile } from "../base/private-file.ts";
import { type Context, decodeContexts, readContextsText } from "./contexts-file.ts";

/** A change of the file of contexts; it touches nothing but what it names. */
export type ContextsEdit =
  | { readonly kind: "use"; readonly name: string }
  /** Fields that are not given stay as they are. */
  | { readonly kind: "set"; readonly context: Partial<Context> & Pick<Context, "name"> }
  | { readonly kind: "delete"; readonly name: string };

/** The text after an edit; comments and the order of everything stay. Throws `usage/invalid` when what comes out is not right. */
export function editContexts(file: string, text: string, edit: ContextsEdit): string {
  decodeContexts(file, text);
  const document = parseDocument(text);
  if (!isMap(document.contents)) document.contents = document.createNode({}) as never;
  if (edit.kind === "use") document.set("current", edit.name);
  if (edit.kind === "set") {
    const { name, ...fields } = edit.context;
    const found = itemOf(document.get("contexts"), name) ?? addItem(document, name);
    for (const [field, value] of Object.entries(fields)) found.set(field, value);
    // One of the two counts.
    if (fields.token !== undefined) found.delete("tokenFile");
    if (fields.tokenFile !== undefined) found.delete("token");
    if (!document.has("current")) document.set("current", name);
  }
  if (edit.kind === "delete") {
    const list = document.get("contexts");
    const item = itemOf(list, edit.name);
    if (isSeq(list) && item !== undefined) list.items.splice(list.items.indexOf(item), 1);
    if (document.get("current") === edit.name) document.delete("current");
  }
  const edited = document.toString({ lineWidth: 0 });
  decodeContexts(file, edited);
  return edited;
}

type Document = ReturnType<typeof parseDocument>;

const itemOf = (list: unknown, name: string): YAMLMap | undefined =>
  isSeq(list) ? list.items.filter((item) => isMap(item)).find((item) => item.get("name") === name) : undefined;

function addItem(document: Document, name: string): YAMLMap {
  if (!isSeq(document.get("contexts"))) document.set("contexts", document.createNode([]));
  const item = document.createNode({ name });
  document.addIn(["contexts"], item);
  return item as YAMLMap;
}

/** Edits the file, whole or not at all; afterwards only its owner can read it. */
export async function writeContexts(file: string, edit: ContextsEdit): Promise<void> {
  const text = editContexts(file, await readContextsText(file), edit);
  try {
    // A link to where somebody keeps the settings stays one.
    const target = await realpath(file).catch(() => file);
    if (target === file) await makePrivateFolder(dirname(file));
    await writePrivateFile(target, text);
  } catch (cause) {
    throw new MeshError("usage/invalid", `cannot write ${file}`, {
      hint: "Check the folder, or name another file with FAIRWAY_CONTEXTS.",
      cause,
    });
  }
}
