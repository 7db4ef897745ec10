import { timeText } from "../base/time-text.ts";
import type { Stamp, StoredDocument } from "../config/store.ts";
import type { ApiPorts } from "./ports.ts";
import type { ManagerView, RuleMetadataView, RuleObjectView, RuleStatusView } from "./types/rules.ts";

type RulePorts = Pick<ApiPorts, "ruleStatus" | "managerOf">;

/** The author's document with its metadata completed, and what became of it. */
export function ruleObject(document: StoredDocument, ports: RulePorts): RuleObjectView {
  return ruleObjectOf(document, ports.ruleStatus(document), managerOf(document, ports));
}

export function ruleObjectOf(
  document: StoredDocument,
  status: RuleStatusView,
  manager: ManagerView | undefined,
): RuleObjectView {
  const { apiVersion, metadata, spec } = JSON.parse(document.json) as AuthorsDocument;
  return {
    apiVersion,
    kind: document.kind,
    metadata: { ...metadata, ...metadataOf(document), ...(manager !== undefined && { managedBy: manager }) },
    spec,
    status,
  };
}

/** Where to edit the rule, when not in the store. */
export const managerOf = (
  { owner, key }: StoredDocument,
  ports: Pick<ApiPorts, "managerOf">,
): ManagerView | undefined => (owner === "store" ? undefined : (ports.managerOf(key) ?? { kind: "directory" }));

interface AuthorsDocument {
  readonly apiVersion: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec: unknown;
}

function metadataOf({
  name,
  namespace,
  uid,
  generation,
  revision,
  created,
  updated,
  owner,
  source,
}: StoredDocument): RuleMetadataView {
  return {
    name,
    namespace,
    uid,
    generation,
    revision,
    createdAt: timeOf(created),
    createdBy: created.by,
    updatedAt: timeOf(updated),
    updatedBy: updated.by,
    ...(owner === "store" && source !== undefined && { appliedFrom: source }),
  };
}

export const timeOf = ({ atMs }: Stamp): string => timeText(atMs);
