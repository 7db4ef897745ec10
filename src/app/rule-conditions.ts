import type { RuleFindingView } from "../api/types/findings.ts";
import type { ConditionView, ManagerView, RuleStatusView } from "../api/types/rules.ts";
import type { DocumentOwner } from "../config/store.ts";
import type { RuleDelivery } from "../delivery/rule-delivery.ts";
import type { ProxyNode } from "../model/proxy.ts";

/** What became of a document. `unreadable`: where it was read last cannot be read now. */
export type Acceptance = "valid" | "warned" | "refused" | "unreadable" | "managed-elsewhere" | "deleted";

/** All that the conditions of a rule follow from. */
export interface RuleFacts {
  readonly acceptance: Acceptance;
  readonly owner: DocumentOwner;
  /** Who owns the rule, where it is managed elsewhere. */
  readonly manager: ManagerView | undefined;
  readonly inForce: RuleStatusView["inForce"];
  /**
   * How far the version in force is: `unknown`: no proxy is configured yet; `waiting`: proxies are configured without it;
   * `never`: this version was only checked.
   */
  readonly served: "yes" | "waiting" | "unknown" | "never";
  readonly delivery: RuleDelivery;
  readonly findings: readonly RuleFindingView[];
}

/** `Accepted`, then `InForce`. */
export const conditionsOf = (facts: RuleFacts): readonly ConditionView[] => [acceptedOf(facts), inForceOf(facts)];

interface Row {
  readonly status: ConditionView["status"];
  readonly reason: string;
  readonly message: (facts: RuleFacts) => string;
}

const acceptedRows: Readonly<Record<Acceptance, Row>> = {
  valid: { status: "True", reason: "Valid", message: () => "It has no errors." },
  warned: {
    status: "True",
    reason: "Warned",
    message: ({ findings }) =>
      `It has no errors, but ${findings.length === 1 ? "a warning" : `${findings.length} warnings`}.`,
  },
  refused: {
    status: "False",
    reason: "Refused",
    message: (facts) =>
      facts.owner === "directory"
        ? `The directory's present version has errors; ${rest(facts)}.`
        : `The stored version has errors; ${rest(facts)}.`,
  },
  unreadable: {
    status: "Unknown",
    reason: "Unreadable",
    message: (facts) => `The directory's present version cannot be read; ${rest(facts)}.`,
  },
  "managed-elsewhere": {
    status: "False",
    reason: "ManagedElsewhere",
    message: ({ manager }) => `A directory has a rule of this name${placeText(manager)}; that one counts.`,
  },
  deleted: { status: "False", reason: "Deleted", message: () => "It is not there any more." },
};

const rest = ({ inForce }: RuleFacts): string =>
  inForce === "previous" ? "the last valid one stays in force" : "none is in force";

function placeText(manager: ManagerView | undefined): string {
  if (manager?.file === undefined) return "";
  return manager.line === undefined ? ` in ${manager.file}` : ` in ${manager.file}:${manager.line}`;
}

function acceptedOf(facts: RuleFacts): ConditionView {
  const { status, reason, message } = acceptedRows[facts.acceptance];
  return { type: "Accepted", status, reason, message: message(facts) };
}

interface InForceRow extends Row {
  readonly applies: (facts: RuleFacts) => boolean;
}

/** The first row that applies counts: what keeps the rule from working comes before what only delays or limits it. */
const inForceRows: readonly InForceRow[] = [
  {
    status: "Unknown",
    reason: "Pending",
    applies: ({ served }) => served === "never",
    message: () => "Nothing was stored.",
  },
  {
    status: "False",
    reason: "NotAccepted",
    applies: ({ inForce }) => inForce !== "current",
    message: ({ inForce }) =>
      inForce === "previous" ? "Proxies are configured from its last valid version." : "Nothing of it is in force.",
  },
  {
    status: "Unknown",
    reason: "Pending",
    applies: ({ served }) => served === "unknown",
    message: () => "No proxy can be configured yet: a registry has not reported completely.",
  },
  {
    status: "Unknown",
    reason: "Pending",
    applies: ({ served }) => served === "waiting",
    message: () => "The proxies' configuration with this version is about to be made.",
  },
  {
    status: "False",
    reason: "Refused",
    applies: ({ delivery }) => delivery.refused.length > 0,
    message: ({ delivery: { refused, targeted } }) =>
      `${refused.length} of ${proxies(targeted)} refused it: ${names(refused)}.`,
  },
  {
    status: "False",
    reason: "NoProxies",
    applies: ({ delivery }) => delivery.targeted === 0,
    message: (facts) =>
      ["No connected proxy has anything of it.", ...firstMessages(facts.findings.filter(isLimit))].join(" "),
  },
  {
    status: "Unknown",
    reason: "Pending",
    applies: ({ delivery }) => delivery.pending.length > 0,
    message: (facts) => `${ackedText(facts)}; waiting for ${names(facts.delivery.pending)}.`,
  },
  {
    status: "False",
    reason: "PartlyInForce",
    applies: ({ findings }) => findings.some(leadsNowhere),
    message: (facts) =>
      [`${ackedText(facts)}, but a part leads nowhere.`, ...firstMessages(facts.findings.filter(leadsNowhere))].join(
        " ",
      ),
  },
  {
    status: "True",
    reason: "PartlyInForce",
    applies: ({ findings }) => findings.some(isLeftOut),
    message: (facts) =>
      [`${ackedText(facts)}, without a part.`, ...firstMessages(facts.findings.filter(isLeftOut))].join(" "),
  },
];

const everywhere: Row = { status: "True", reason: "Everywhere", message: (facts) => `${ackedText(facts)}.` };

function inForceOf(facts: RuleFacts): ConditionView {
  const { status, reason, message } = inForceRows.find(({ applies }) => applies(facts)) ?? everywhere;
  return { type: "InForce", status, reason, message: message(facts) };
}

const unreachable: ReadonlySet<string> = new Set([
  "rule/unknown-host",
  "rule/unknown-subset",
  "rule/unknown-gateway",
  "rule/empty-subset",
  "rule/host-is-alias",
]);

/** Requests that take this part are answered with an error, or never come. */
const leadsNowhere = ({ code }: RuleFindingView): boolean => unreachable.has(code);
/** Only descriptive fields are. */
const isLeftOut = ({ code }: RuleFindingView): boolean => code === "rule/dropped-field";
const isLimit = (finding: RuleFindingView): boolean => leadsNowhere(finding) || isLeftOut(finding);

const proxies = (count: number): string => (count === 1 ? "1 proxy" : `${count} proxies`);

const ackedText = ({ delivery: { acked, targeted } }: RuleFacts): string =>
  `${acked} of ${proxies(targeted)} ${targeted === 1 ? "has" : "have"} accepted it`;

/** How many proxies or findings a message names. */
const maxNamed = 3;

function names(nodes: readonly ProxyNode[]): string {
  const named = nodes.slice(0, maxNamed).map(({ name, namespace }) => `${name}.${namespace}`);
  const more = nodes.length - named.length;
  return more === 0 ? named.join(", ") : `${named.join(", ")} and ${more} more`;
}

function firstMessages(findings: readonly RuleFindingView[]): readonly string[] {
  // Two places may have the same to say.
  const messages = [...new Set(findings.map(({ message }) => message))];
  const more = messages.length - maxNamed;
  return more <= 0 ? messages : [...messages.slice(0, maxNamed), `And ${more} more.`];
}
