import type { ApiPorts } from "../api/ports.ts";
import type { RuleFindingView } from "../api/types/findings.ts";
import type { RuleDeliveryView, RuleRefusalView, RuleStatusView } from "../api/types/rules.ts";
import type { Signal } from "../base/signal.ts";
import { timeText } from "../base/time-text.ts";
import type { World } from "../compile/world.ts";
import { checkReferencesOf } from "../config/checks.ts";
import type { AnyRule, RuleKey } from "../config/rule.ts";
import type { RuleDocument, RuleSet } from "../config/rule-set.ts";
import type { StoredDocument } from "../config/store.ts";
import type { Ledger } from "../delivery/ledger.ts";
import { type RuleDelivery, ruleDeliveries } from "../delivery/rule-delivery.ts";
import { createStandings, type Standings } from "../delivery/standings.ts";
import type { ResourceCache } from "../snapshot/resource-cache.ts";
import { conditionsOf, type RuleFacts } from "./rule-conditions.ts";
import { managerIn } from "./rule-documents.ts";

export interface RuleStatusInput {
  /** All sources together. */
  readonly ruleSet: Signal<RuleSet>;
  /** What directories say; their rules come before those of the store. */
  readonly directory: Signal<RuleSet>;
  readonly world: Signal<World | undefined>;
  readonly ledger: Pick<Ledger, "connected" | "changes" | "subscribeMoves">;
  readonly resources: Pick<ResourceCache, "servedTo">;
}

/** The status of documents as everything stands now, or of a `trial`; answers are remembered until anything changes. */
export function createRuleStatus(input: RuleStatusInput): ApiPorts["ruleStatus"] {
  const standings = createStandings(input.ledger);
  let present: Present | undefined;
  return (document, trial) => {
    if (trial !== undefined)
      return viewOf(document, trialFacts(document, trial, input.ruleSet.value), input.ruleSet.value);
    if (present === undefined || !isPresent(present, input)) present = presentOf(input, standings);
    const found = present.views.get(document) ?? statusOf(document, present);
    present.views.set(document, found);
    return found;
  };
}

/** Everything that a status follows from, at one moment. */
interface Present {
  readonly ruleSet: RuleSet;
  readonly directory: RuleSet;
  readonly world: World | undefined;
  readonly changes: number;
  readonly deliveryOf: (rule: string) => RuleDelivery;
  readonly views: WeakMap<StoredDocument, RuleStatusView>;
}

const isPresent = (present: Present, { ruleSet, directory, world, ledger }: RuleStatusInput): boolean =>
  present.ruleSet === ruleSet.value &&
  present.directory === directory.value &&
  present.world === world.value &&
  present.changes === ledger.changes();

function presentOf({ ruleSet, directory, world, ledger, resources }: RuleStatusInput, standings: Standings): Present {
  const recipients = ledger.connected().flatMap((proxy) => {
    const served = resources.servedTo(proxy.node);
    return served === undefined ? [] : [{ ...proxy, ...served }];
  });
  return {
    ruleSet: ruleSet.value,
    directory: directory.value,
    world: world.value,
    changes: ledger.changes(),
    deliveryOf: ruleDeliveries(recipients, standings),
    views: new WeakMap(),
  };
}

const statusOf = (document: StoredDocument, present: Present): RuleStatusView =>
  viewOf(document, factsOf(document, present), present.ruleSet);

function viewOf(document: StoredDocument, facts: RuleFacts, ruleSet: RuleSet): RuleStatusView {
  return {
    observedGeneration: document.generation,
    verdict: verdicts[facts.acceptance],
    inForce: facts.inForce,
    conditions: conditionsOf(facts),
    delivery: deliveryView(facts),
    findings: facts.findings,
    refusals: refusalViews(document.key, facts, ruleSet),
  };
}

const verdicts: Readonly<Record<RuleFacts["acceptance"], RuleStatusView["verdict"]>> = {
  valid: "valid",
  warned: "warned",
  refused: "refused",
  // Nothing was found wrong with what it last said.
  unreadable: "valid",
  deleted: "valid",
  "managed-elsewhere": "refused",
};

/** Of a document that was checked, with warnings at most, and not stored. */
const trialFacts = (
  { key, owner }: StoredDocument,
  findings: readonly RuleFindingView[],
  { rules }: RuleSet,
): RuleFacts => ({
  ...{ owner, manager: undefined, findings, delivery: nowhere, served: "never" },
  acceptance: findings.length === 0 ? "valid" : "warned",
  inForce: rules.has(key) ? "previous" : "none",
});

function factsOf({ key, owner }: StoredDocument, present: Present): RuleFacts {
  const { ruleSet, world } = present;
  const documents = ruleSet.documentsOf(key);
  const [document] = documents;
  const rule = ruleSet.rules.get(key);
  const manager = owner === "store" ? managerIn(present.directory, key) : undefined;
  const nothing = { owner, manager, inForce: "none", served: "yes", delivery: nowhere, findings: noFindings } as const;

  if (manager !== undefined)
    return { ...nothing, acceptance: "managed-elsewhere", findings: ownershipFindings(documents) };
  if (rule === undefined) {
    if (document === undefined) return { ...nothing, acceptance: "deleted" };
    return { ...nothing, acceptance: "refused", findings: document.findings };
  }
  const served = world === undefined ? "unknown" : world.rules.get(key) === rule ? "yes" : "waiting";
  const inForce = { owner, manager, inForce: "previous", served, delivery: present.deliveryOf(key) } as const;
  if (document === undefined) return { ...inForce, acceptance: "unreadable", findings: noFindings };
  const { verdict, findings } = document;
  if (verdict === "refused") return { ...inForce, acceptance: "refused", findings };
  const dangling = world === undefined ? noFindings : danglingReferences(rule, ruleSet, world);
  return dangling.length === 0
    ? { ...inForce, inForce: "current", acceptance: verdict, findings }
    : { ...inForce, inForce: "current", acceptance: "warned", findings: [...findings, ...dangling] };
}

const danglingReferences = (rule: AnyRule, ruleSet: RuleSet, { catalog, mesh }: World): readonly RuleFindingView[] =>
  checkReferencesOf(rule, ruleSet, catalog, mesh).map(({ rule: _, ...finding }) => finding);

const noFindings: readonly RuleFindingView[] = [];
const nowhere: RuleDelivery = { targeted: 0, acked: 0, pending: [], refused: [], refusals: [] };

const ownershipFindings = (documents: readonly RuleDocument[]): readonly RuleFindingView[] =>
  documents
    .flatMap(({ findings }): readonly RuleFindingView[] => findings)
    .filter(({ code }) => code === "rule/managed-elsewhere");

/** While proxies are configured without the present version, what they said was about another one. */
function deliveryView({ served, delivery }: RuleFacts): RuleDeliveryView {
  const { targeted, acked, pending, refused } = delivery;
  return served === "yes"
    ? { targeted, acked, pending: pending.length, refused: refused.length }
    : { targeted, acked: 0, pending: targeted, refused: 0 };
}

const maxRefusals = 20;

function refusalViews(key: RuleKey, { served, delivery }: RuleFacts, ruleSet: RuleSet): readonly RuleRefusalView[] {
  if (served !== "yes") return [];
  return delivery.refusals.slice(0, maxRefusals).map(({ node, type, resource, reason, atMs, pointer }) => ({
    proxy: node.id,
    type,
    resource,
    reason,
    at: timeText(atMs),
    ...ruleSet.locate(key, pointer),
  }));
}
