import { randomUUID } from "node:crypto";
import { changeSetView } from "../api/shapes/rules.ts";
import type { ChangeResultView, ChangeSetBody, ChangeSetView } from "../api/types/change-sets.ts";
import { MeshError } from "../base/errors.ts";
import { type CliIo, type Flag, type FlagValues, flagValue, isSet } from "./command.ts";
import { count, formatFindingList } from "./findings-text.ts";
import { wordOf } from "./kinds.ts";
import { writeJson } from "./output.ts";
import { ServerRefusal } from "./refusal.ts";
import { askJson, pathOf } from "./request.ts";
import { lineIn, type RuleFile, textsOf } from "./rule-files.ts";
import type { Server } from "./server.ts";
import { type Style, styleFor, type Tone } from "./style.ts";
import { visibleText } from "./terminal-text.ts";

/** The flags of commands that change rules. */
export const changeFlags: readonly Flag[] = [
  { flags: "--dry-run", summary: "check everything, store nothing" },
  { flags: "--allow-dangling", summary: "take it although something that rules refer to is missing then" },
  { flags: "--reason <text>", summary: "why, for those who look at it later" },
];

export const baseRevisionFlag: Flag = {
  flags: "--base-revision <number>",
  summary: "only when nothing of it was changed after this revision",
};

/** Throws `usage/invalid`. */
export function baseRevisionOf(flags: FlagValues): number | undefined {
  const given = flagValue(flags, "baseRevision");
  if (given === undefined) return undefined;
  if (/^[0-9]{1,15}$/.test(given)) return Number(given);
  throw new MeshError("usage/invalid", `--base-revision: expected a number, found ${JSON.stringify(given)}`);
}

export interface Change extends ChangeSetBody {
  /** What the documents were made of. */
  readonly files: readonly RuleFile[];
  /** Nothing of it may have changed since. */
  readonly baseRevision?: number;
}

/** Sends everything as one change: all of it is stored, or none. */
export async function sendChange(
  server: Server,
  { files, baseRevision, ...body }: Change,
  flags: FlagValues,
  dryRun: boolean = isSet(flags, "dryRun"),
): Promise<{ readonly raw: unknown; readonly value: ChangeSetView }> {
  const query = {
    dryRun: dryRun ? "true" : undefined,
    allowDangling: isSet(flags, "allowDangling") ? "true" : undefined,
    baseRevision: baseRevision?.toString(),
  };
  // The key makes a second sending of the same change harmless.
  const headers = { "idempotency-key": randomUUID(), ...reasonHeader(flagValue(flags, "reason")) };
  const request = { method: "POST", path: pathOf("changesets"), query, headers, body, repeatable: true } as const;
  try {
    return await askJson(server, { ...request, withinMs: 30_000, texts: textsOf(files) }, changeSetView);
  } catch (error) {
    throw error instanceof ServerRefusal ? withOriginalLines(error, files) : error;
  }
}

const maxReason = 1_024;

function reasonHeader(reason: string | undefined): Readonly<Record<string, string>> {
  if (reason === undefined) return {};
  if (reason.length <= maxReason && /^[^\p{Cc}\p{Cs}\ufffd]+$/u.test(reason)) {
    // Headers are bytes, of which each stands as one character here; those of people are UTF-8.
    return { "x-change-reason": Buffer.from(reason).toString("latin1") };
  }
  throw new MeshError("usage/invalid", `--reason: expected one line of at most ${maxReason} characters`);
}

/** Places are those of the author's text, not of what was sent. */
function withOriginalLines({ status, problem, texts }: ServerRefusal, files: readonly RuleFile[]): ServerRefusal {
  const errors = problem.errors?.map((error) => {
    const { source } = error;
    if (source === undefined) return error;
    return { ...error, source: { ...source, line: lineIn(files, source.file, source.line) } };
  });
  return new ServerRefusal(status, { ...problem, ...(errors !== undefined && { errors }) }, texts);
}

const tones: Readonly<Record<ChangeResultView["action"], Tone>> = {
  created: "good",
  configured: "good",
  unchanged: "quiet",
  deleted: "caution",
};

/** Says what became of each document: warnings on `err`, the rest on `out`. `isDeletion`: nothing was written. */
export function writeChange(
  answer: { readonly raw: unknown; readonly value: ChangeSetView },
  files: readonly RuleFile[],
  flags: FlagValues,
  io: CliIo,
  isDeletion = false,
): void {
  const style = styleFor(io);
  const { results } = answer.value;
  const warnings = results.flatMap(({ kind, namespace, name, findings }) =>
    findings.map(({ line, ...finding }) => ({
      ...finding,
      about: `${kind}/${namespace}/${name}`,
      ...(line !== undefined && { line: lineIn(files, finding.file, line) }),
    })),
  );
  if (warnings.length > 0) io.err(`${formatFindingList(warnings, textsOf(files), style)}\n`);
  if (flags["output"] === "json") writeJson(io, answer.raw);
  else io.out(formatChange(answer.value, isDeletion, style));
}

function formatChange({ results, revision, dryRun }: ChangeSetView, isDeletion: boolean, style: Style): string {
  const isMissing = ({ action }: ChangeResultView): boolean => isDeletion && action === "unchanged";
  const lines = results.map((result) => {
    const { kind, namespace, name, action } = result;
    const rule = visibleText(`${wordOf(kind)}/${namespace}/${name}`);
    return `${rule} ${style(tones[action], isMissing(result) ? "not found, ignored" : action)}\n`;
  });
  const counted = results.filter((result) => !isMissing(result));
  const groups = Map.groupBy(counted, ({ action }) => action);
  const told = (Object.keys(tones) as readonly ChangeResultView["action"][]).flatMap((action) => {
    const number = groups.get(action)?.length ?? 0;
    return number === 0 ? [] : [`${number} ${action}`];
  });
  const end = dryRun ? "dry run, nothing was stored" : `revision ${revision}`;
  const sum = [count(counted.length, "rule"), ...(told.length > 0 ? [told.join(", ")] : [])].join(": ");
  return `${lines.join("")}\n${sum}; ${end}\n`;
}
