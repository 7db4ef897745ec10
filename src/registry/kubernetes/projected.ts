import type { Problem } from "../../base/decode.ts";
import type { KubeObject } from "../../kube/reflector.ts";
import type { RegistryProblem } from "../source.ts";
import { Place } from "./place.ts";

/** What is kept of one object, and what could not be read of it. */
export interface Projected<T extends object> {
  /** Absent: nothing of it can be used. */
  readonly kept?: T;
  readonly problems: readonly RegistryProblem[];
}

/** Of one object no more is told. */
const maxProblems = 10;
const none: readonly RegistryProblem[] = [];

/** A projection out of what is read of an object; undefined, and nothing told: the object is of no interest. */
export const projection =
  <T extends object>(kind: string, read: (object: Place) => T | undefined) =>
  (object: KubeObject): Projected<T> | undefined => {
    const found: Problem[] = [];
    const place = new Place(object, (problem) => {
      if (found.length < maxProblems) found.push(problem);
    });
    const kept = read(place);
    if (found.length === 0) return kept && { kept, problems: none };
    return { ...(kept && { kept }), problems: problemsOf(`${kind} ${nameOf(object)}`, found) };
  };

const problemsOf = (object: string, found: readonly Problem[]): readonly RegistryProblem[] =>
  found.map(({ pointer, message, hint }) => ({
    message: `${object}, ${pointer}: ${message}`,
    ...(hint !== undefined && { hint }),
  }));

/** `namespace/name`, or the name of what has no namespace. The client has looked at both. */
export function nameOf({ metadata }: KubeObject): string {
  const { namespace, name } = metadata as { readonly namespace?: string; readonly name: string };
  return namespace === undefined ? name : `${namespace}/${name}`;
}
