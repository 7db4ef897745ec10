import { OrderedMap } from "../../base/ordered-map.ts";
import type { RegistryProblem } from "../source.ts";
import { type Kind, type KubeObjects, kinds, noObjects, type ObjectsOf } from "./objects.ts";

const none: readonly RegistryProblem[] = [];

/** What could not be read of the objects, in the order of kinds and names; it follows by what changed, and is the same list otherwise. */
export function followProblems(): (objects: KubeObjects) => readonly RegistryProblem[] {
  let last = noObjects;
  let problems: readonly RegistryProblem[] = [];
  let byObject = OrderedMap.of<string, readonly RegistryProblem[]>();
  return (objects) => {
    const changes = <K extends Kind>(kind: K) => changesOf(kind, last[kind], objects[kind]);
    const next = byObject.with(kinds.flatMap(changes));
    if (next !== byObject) problems = [...next.values()].flat();
    byObject = next;
    last = objects;
    return problems;
  };
}

function changesOf<T extends object>(
  kind: Kind,
  before: ObjectsOf<T>,
  after: ObjectsOf<T>,
): readonly (readonly [string, readonly RegistryProblem[] | undefined])[] {
  return before
    .changesTo(after)
    .filter((change) => (change.before?.problems ?? none) !== (change.after?.problems ?? none))
    .map(({ key, after: present }) => {
      const problems = present?.problems ?? none;
      return [`${kind} ${key}`, problems.length > 0 ? problems : undefined];
    });
}
