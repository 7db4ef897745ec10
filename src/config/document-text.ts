import { stringify } from "yaml";
import { plainStyle } from "../base/yaml-layout.ts";
import type { DocumentFormat, StoredDocument } from "./store.ts";

type WrittenDocument = Pick<StoredDocument, "format" | "text" | "json">;

/** A stored document as YAML: as its author wrote it where that is YAML. */
export function documentAs(document: WrittenDocument, format: "yaml"): string;
/** A stored document as plain data. */
export function documentAs(document: WrittenDocument, format: "json"): unknown;
export function documentAs({ format, text, json }: WrittenDocument, wanted: DocumentFormat): unknown {
  if (wanted === "json") return JSON.parse(json);
  return format === "yaml" ? text : stringify(JSON.parse(json), plainStyle);
}
