import type { DocumentFindings } from "../config/change.ts";
import type { Finding } from "../config/finding.ts";
import type { ProblemDetailView } from "./types/server.ts";

/** Findings of the documents of a request, as the problems of the request; errors first. */
export function findingDetails(documents: readonly DocumentFindings[]): readonly ProblemDetailView[] {
  const details = documents.flatMap((document) => document.findings.map((finding) => detailOf(document, finding)));
  return [
    ...details.filter(({ severity }) => severity === "error"),
    ...details.filter(({ severity }) => severity !== "error"),
  ];
}

function detailOf({ index, rule }: DocumentFindings, finding: Finding): ProblemDetailView {
  const { code, severity, pointer, message, hint, file, line, column } = finding;
  const source = line === undefined ? undefined : { line, column: column ?? 1, ...(file !== undefined && { file }) };
  return {
    code,
    severity,
    pointer,
    message,
    ...(hint !== undefined && { hint }),
    ...(rule !== undefined && { rule }),
    document: index,
    ...(source !== undefined && { source }),
  };
}

/** Is it about taking away what others refer to? */
export const isStillReferenced = ({ findings }: DocumentFindings): boolean =>
  findings.some(({ code }) => (code as string) === "rule/still-referenced");
