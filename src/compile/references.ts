import { type Reference, type Repair, type Resource, referenceKey } from "../envoy/resource-set.ts";
import { defaultMeshSettings, type MeshSettings } from "../model/mesh-settings.ts";
import { compilePlaceholder } from "./placeholders.ts";

/** Resources of which none names one that is not among them, and what was done for that. */
export interface Repaired {
  readonly resources: readonly Resource[];
  readonly repairs: readonly Repair[];
}

/**
 * What stands for a missing resource, together with what that needs in turn, in a form that the client takes; empty where nothing
 * can stand there.
 */
export type MakePlaceholders = (missing: DanglingReference, reason: string) => readonly Resource[];

/**
 * Makes references whole where they dangle and nowhere else: a placeholder for what is missing; where its type has none, what
 * names it and cannot work without is left out, which is told as a `broken` repair.
 */
export function repairReferences(
  resources: readonly Resource[],
  placeholdersFor: MakePlaceholders = envoyPlaceholders(defaultMeshSettings),
): Repaired {
  const made: Resource[] = [];
  const missing: Repair[] = [];
  const hopeless = new Map<Resource, Repair>();
  for (const { user, type, name } of danglingReferences(resources)) {
    const reason = reasonOf({ type, name }, user);
    const placeholders = placeholdersFor({ user, type, name }, reason);
    if (placeholders.length === 0) {
      const why = `it needs ${type} ${name}, which is not there`;
      hopeless.set(user, { type: user.type, name: user.name, kind: "broken", reason: why });
    } else {
      made.push(...placeholders);
      missing.push({ type, name, kind: "missing", reason });
    }
  }
  if (hopeless.size === 0) return { resources: [...resources, ...made], repairs: missing };
  // Without them less may be missing.
  const left = repairReferences(
    resources.filter((resource) => !hopeless.has(resource)),
    placeholdersFor,
  );
  return { ...left, repairs: [...hopeless.values(), ...left.repairs] };
}

/** Those that an Envoy takes. */
export const envoyPlaceholders =
  (mesh: MeshSettings, compile = compilePlaceholder): MakePlaceholders =>
  ({ user, type, name }, reason) =>
    compile(user, mesh, type, name, reason);

/** Why a placeholder stands there. */
const reasonOf = ({ type, name }: Reference, user: Reference): string =>
  type === "CDS" && user.type === "RDS"
    ? "a route names it, and no such service, port or subset is known"
    : `${user.type} ${user.name} names it, and there is no ${type} ${name}`;

export interface DanglingReference extends Reference {
  /** The first that names it. */
  readonly user: Resource;
}

/** What is named and not there, once each. Secrets never are in a set: they come by a way of their own. */
export function danglingReferences(resources: readonly Resource[]): readonly DanglingReference[] {
  const present = new Set(resources.map(referenceKey));
  const missing = new Map<string, DanglingReference>();
  for (const user of resources) {
    for (const reference of user.references) {
      const key = referenceKey(reference);
      if (reference.type === "SDS" || present.has(key) || missing.has(key)) continue;
      missing.set(key, { ...reference, user });
    }
  }
  return [...missing.values()];
}
