import type { FindingView } from "../../api/types/findings.ts";
import { type JsonPointer, pointerSteps } from "../../base/json-pointer.ts";
import { OrderedMap } from "../../base/ordered-map.ts";
import type { Style, Tone } from "../../cli/style.ts";
import { visibleText } from "../../cli/terminal-text.ts";
import type { AnyRule, RuleKey } from "../../config/rule.ts";
import type { RuleSet } from "../../config/rule-set.ts";
import type { LedgerEvent } from "../../delivery/ledger.ts";
import type { RulePlace } from "../../delivery/rule-places.ts";
import type { TypeName } from "../../envoy/resource-types.ts";
import { type FieldChange, fieldChanges } from "./field-changes.ts";

/** One line of what happens, for people at a terminal. */
export interface EventLine {
  readonly verb: "rules" | "accepted" | "refused" | "finding" | "fixed" | "connected" | "left" | "stopped";
  readonly text: string;
  /** Further lines below it. */
  readonly more?: readonly string[];
}

const tones: Readonly<Record<EventLine["verb"], Tone>> = {
  rules: "accent",
  accepted: "good",
  refused: "bad",
  finding: "caution",
  fixed: "good",
  connected: "quiet",
  left: "quiet",
  stopped: "bad",
};

export function formatEventLine({ verb, text, more = [] }: EventLine, nowMs: number, style: Style): string {
  const clock = new Date(nowMs).toTimeString().slice(0, 8);
  const indent = " ".repeat(20);
  return [
    `${style("quiet", clock)}  ${style(tones[verb], verb.padEnd(9))} ${visibleText(text)}`,
    ...more.map((line) => indent + visibleText(line)),
    "",
  ].join("\n");
}

/** Places as people and editors take them; paths as `shown` writes them. */
export type ShowPlace = (place: { readonly file?: string; readonly line?: number; readonly column?: number }) => string;

/** The rules at one moment, and all that is wrong with them then. */
export interface RulesNow {
  readonly ruleSet: Pick<RuleSet, "rules" | "locate">;
  readonly findings: readonly FindingView[];
}

export const noRules: RulesNow = {
  ruleSet: { rules: OrderedMap.of(), locate: (_rule, pointer) => ({ pointer }) },
  findings: [],
};

/** What became of the rules: which ones changed, what is wrong with them that was not before, and what is well again. */
export function ruleLines(before: RulesNow, after: RulesNow, show: ShowPlace): readonly EventLine[] {
  return [
    ...changeLines(before, after, show),
    ...findingLines(before, after, show),
    ...fixedLines(before, after, show),
  ];
}

function changeLines({ ruleSet: before }: RulesNow, { ruleSet: after }: RulesNow, show: ShowPlace): EventLine[] {
  const changed = [...after.rules]
    .filter(([key, rule]) => before.rules.get(key) !== rule)
    .flatMap(([key, rule]) => {
      const old = before.rules.get(key);
      const at = (pointer: JsonPointer) => show(after.locate(key, pointer));
      return old === undefined ? [`${titleOf(rule)} added at ${at("")}`] : changeOf(old, rule, at);
    });
  const gone = [...before.rules].filter(([key]) => !after.rules.has(key)).map(([, rule]) => `${titleOf(rule)} removed`);
  const [first, ...more] = [...changed, ...gone];
  return first === undefined ? [] : [{ verb: "rules", text: first, more }];
}

/** More changes of one rule are told as one. */
const shownChanges = 4;

/** Which rule, and below it each changed field with its place. */
function changeOf(before: AnyRule, after: AnyRule, at: (pointer: JsonPointer) => string): readonly string[] {
  const changes = fieldChanges(before.spec, after.spec, "/spec");
  const [first] = changes;
  if (first === undefined || changes.length > shownChanges) return [`${titleOf(after)} changed at ${at("")}`];
  return [
    `${titleOf(after)} changed`,
    ...changes.map((change) => `${at(change.pointer)}  ${formatChange(change)}`.trimEnd()),
  ];
}

/** `weight 90 → 0`; only the name where there is more to it than one value. */
function formatChange({ pointer, before, after }: FieldChange): string {
  const name = pointerSteps(pointer).findLast((step) => !/^\d+$/.test(step)) ?? "";
  const isPlain = [before, after].every((value) => typeof value !== "object");
  const text = (value: unknown) => (value === undefined ? "none" : String(value));
  return isPlain ? `${name} ${text(before)} → ${text(after)}` : name;
}

const titleOf = ({ kind, namespace, name }: Pick<AnyRule, "kind" | "namespace" | "name">): string =>
  `${kind} ${namespace}/${name}`;

/** More at once are not for reading. */
const shownFindings = 8;

/** The findings of `after` that `before` does not have. */
export function findingLines(before: RulesNow, after: RulesNow, show: ShowPlace): readonly EventLine[] {
  const known = new Set(before.findings.map((finding) => JSON.stringify(finding)));
  const news = after.findings.filter((finding) => !known.has(JSON.stringify(finding)));
  const lines = news.slice(0, shownFindings).map((finding) => findingLine(finding, after, show));
  const rest = news.length - shownFindings;
  return rest > 0 ? [...lines, { verb: "finding", text: `and ${rest} more; \`fairway check\` shows all` }] : lines;
}

function findingLine(finding: FindingView, { ruleSet }: RulesNow, show: ShowPlace): EventLine {
  const { severity, code, message, hint } = finding;
  return {
    verb: "finding",
    text: `${show(finding)}  ${severity}  ${code}`,
    more: [
      message,
      ...(hint === undefined ? [] : [hint]),
      ...(severity === "error" ? [whatHolds(finding, ruleSet)] : []),
    ],
  };
}

function whatHolds({ about: { kind, namespace, name } }: FindingView, { rules }: RulesNow["ruleSet"]): string {
  if (kind === "" || name === "" || kind === "Registry") return "What was last read from there stays in force.";
  const held = rules.has(`${kind}/${namespace}/${name}` as RuleKey);
  return held ? "Its last valid version stays in force." : "It is not in force.";
}

/** Files that had findings and have none any more. */
function fixedLines(before: RulesNow, after: RulesNow, show: ShowPlace): readonly EventLine[] {
  const filesOf = ({ findings }: RulesNow) => findings.flatMap(({ file }) => (file === undefined ? [] : [file]));
  const still = new Set(filesOf(after));
  return [...new Set(filesOf(before))]
    .filter((file) => !still.has(file))
    .map((file) => ({ verb: "fixed", text: `${show({ file })}  no findings any more` }));
}

const typeTitles: Readonly<Record<TypeName, string>> = {
  RTDS: "runtime layers",
  CDS: "clusters",
  EDS: "endpoints",
  LEDS: "endpoint lists",
  SDS: "secrets",
  LDS: "listeners",
  ECDS: "extensions",
  SRDS: "route scopes",
  RDS: "routes",
  VHDS: "virtual hosts",
};

/** `places`: where the rules behind the refused resources are. Undefined for what is not worth a line. */
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
          ...places.map(({ rule, pointer }) => {
            const [kind = "", ...name] = rule.split("/");
            return `from ${kind} ${name.join("/")} at ${show(locate(rule as RuleKey, pointer))}`;
          }),
        ],
      };
  }
}

const shownNames = 3;

function listed(names: readonly string[]): string {
  const rest = names.length - shownNames;
  return names.slice(0, shownNames).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
