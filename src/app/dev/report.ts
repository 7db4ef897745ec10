import { rulePlaces } from "../../delivery/rule-places.ts";
import type { ControlPlane } from "../control-plane.ts";
import {
  type EventLine,
  findingLines,
  ledgerLine,
  noRules,
  type RulesNow,
  ruleLines,
  type ShowPlace,
} from "./event-lines.ts";

/** Tells what happens in a control plane, one line for each thing; what is wrong with its rules already, at once. */
export function reportEvents(
  plane: Pick<ControlPlane, "ruleSet" | "world" | "ledger" | "resources" | "ports">,
  show: ShowPlace,
  tell: (line: EventLine) => void,
): void {
  const rulesNow = (): RulesNow => ({ ruleSet: plane.ruleSet.value, findings: plane.ports.findings() });
  let before = rulesNow();
  for (const line of findingLines(noRules, before, show)) tell(line);
  // A new set of rules always makes a new world, after which references between rules and services can be judged too.
  plane.world.subscribe(() => {
    const now = rulesNow();
    for (const line of ruleLines(before, now, show)) tell(line);
    before = now;
  });

  plane.ledger.subscribe((event) => {
    const refused = event.on === "refused" ? plane.resources.resourcesOf(event.node)?.resources[event.type] : undefined;
    const suspects = event.on === "refused" ? event.suspects : [];
    const places = suspects.flatMap((name) => rulePlaces(refused?.get(name)?.provenance() ?? []));
    const line = ledgerLine(event, places, plane.ruleSet.value.locate, show);
    if (line !== undefined) tell(line);
  });
}
