import { isDeepStrictEqual } from "node:util";
import { applyJsonPatch } from "../base/json-patch.ts";
import { applyMergePatch, type PatchProblem } from "../base/patch.ts";
import { editYaml } from "../base/yaml-edit.ts";
import { jsonText } from "./json-text.ts";
import type { DocumentFormat, StoredDocument } from "./store.ts";

/** A change of parts of a document: a merge patch (RFC 7396), or the operations of a JSON Patch (RFC 6902). */
export type DocumentPatch =
  | { readonly kind: "merge"; readonly patch: unknown }
  | { readonly kind: "json"; readonly operations: unknown };

export type PatchedDocument =
  | { readonly ok: true; readonly text: string; readonly format: DocumentFormat }
  | { readonly ok: false; readonly problem: PatchProblem };

/**
 * A document with a patch applied, to be prepared like any other proposal. What the patch does not touch stays as it is written,
 * comments included; a patch without effect gives the same text.
 */
export function patchDocument(
  { text, format, json }: Pick<StoredDocument, "text" | "format" | "json">,
  patch: DocumentPatch,
): PatchedDocument {
  const before: unknown = JSON.parse(json);
  const patched =
    patch.kind === "merge" ? applyMergePatch(before, patch.patch) : applyJsonPatch(before, patch.operations);
  if (!patched.ok) return patched;
  if (isDeepStrictEqual(before, patched.value)) return { ok: true, text, format };
  const edited = format === "json" ? jsonText(patched.value) : editYaml(text, patched.value);
  return { ok: true, text: edited, format };
}
