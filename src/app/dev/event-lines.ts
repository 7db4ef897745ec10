import type { Style, Tone } from "../../cli/style.ts";
import type { Finding } from "../../config/finding.ts";
import type { AnyRule, RuleKey } from "../../config/rule.ts";
import type { RuleSet } from "../../config/rule-set.ts";
import type { LedgerEvent } from "../../delivery/ledger.ts";
import type { RulePlace } from "../../delivery/rule-places.ts";
import type { TypeName } from "../../envoy/resource-types.ts";

/** One line of what happens, for people at a terminal. */
export interface EventLine {
  readonly verb: "rules" | "accepted" | "refused" | "finding" | "connected" | "left" | "stopped";
  readonly text: string;
  /** Further lines below it. */
  readonly more?: readonly string[];
}

const tones: Readonly<Record<EventLine["verb"], Tone>> = {
  rules: "accent",
  accepted: "good",
  refused: "bad",
  finding: "caution",
  connected: "quiet",
  left: "quiet",
  stopped: "bad",
};

export function formatEventLine({ verb, text, more = [] }: EventLine, nowMs: number, style: Style): string {
  const clock = new Date(nowMs).toTimeString().slice(0, 8);
  const indent = " ".repeat(20);
  return [
    `${style("quiet", clock)}  ${style(tones[verb], verb.padEnd(9))} ${text}`,
    ...more.map((line) => indent + line),
    "",
  ].join("\n");
}

/** Places as people and editors take them; paths as `shown` writes them. */
export type ShowPlace = (place: { readonly file?: string; readonly line?: number; readonly column?: number }) => string;

/** What a new revision changed, and what is wrong in it that was not wrong before. */
export function ruleSetLines(before: RuleSet, after: RuleSet, show: ShowPlace): readonly EventLine[] {
  const changed = [...after.rules].filter(([key, rule]) => before.rules.get(key) !== rule);
  const gone = [...before.rules.keys()].filter((key) => !after.rules.has(key));
  const names = [
    ...changed.map(
      ([key, rule]) =>
        `${named(rule)} ${before.rules.has(key) ? "changed" : "added"} at ${show(after.locate(key, ""))}`,
    ),
    ...gone.map((key) => `${key.replace("/", " ")} removed`),
  ];
  const applied: readonly EventLine[] =
    names.length === 0
      ? []
      : [{ verb: "rules", text: `revision ${after.revision}: ${names[0]}`, more: names.slice(1) }];
  return [...applied, ...newFindings(before, after).map((finding) => findingLine(finding, show))];
}

const named = ({ kind, namespace, name }: AnyRule): string => `${kind} ${namespace}/${name}`;

function newFindings(before: RuleSet, after: RuleSet): readonly Finding[] {
  const text = (finding: Finding): string => JSON.stringify(finding);
  const known = new Set(before.documents.flatMap(({ findings }) => findings.map(text)));
  return after.documents.flatMap(({ findings }) => findings.filter((finding) => !known.has(text(finding))));
}

function findingLine({ severity, code, message, hint, ...place }: Finding, show: ShowPlace): EventLine {
  const kept = severity === "error" ? ["The last valid version stays in force."] : [];
  return {
    verb: "finding",
    text: `${show(place)}  ${severity}  ${code}`,
    more: [message, ...(hint === undefined ? [] : [hint]), ...kept],
  };
}

const typeTitles: Readonly<Record<TypeName, string>> = {
  CDS: "clusters",
  EDS: "endpoints",
  LDS: "listeners",
  RDS: "routes",
};

/** `places`: where the rules behind the refused resources are. */
export function ledgerLine(
  event: LedgerEvent,
  places: readonly RulePlace[],
  locate: RuleSet["locate"],
  show: ShowPlace,
): EventLine | undefined {
  const who = event.node.name;
  switch (event.on) {
    case "connected":
      return { verb: "connected", text: who };
    case "disconnected":
      return { verb: "left", text: who };
    case "accepted":
      return event.changed.length === 0
        ? undefined
        : { verb: "accepted", text: `${who} took ${typeTitles[event.type]} ${listed(event.changed)}` };
    case "refused":
      return {
        verb: "refused",
        text: `${who} refused ${typeTitles[event.type]} ${listed(event.suspects)}`,
        more: [
          event.reason,
          ...places.map(
            ({ rule, pointer }) => `from ${rule.replace("/", " ")} at ${show(locate(rule as RuleKey, pointer))}`,
          ),
        ],
      };
  }
}

const shownNames = 3;

function listed(names: readonly string[]): string {
  const rest = names.length - shownNames;
  return names.slice(0, shownNames).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
