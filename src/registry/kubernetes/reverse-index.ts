/** From what is named to who names it, for example from a pod to the slices that list it. */
export interface ReverseIndex {
  /** Who names this one. */
  readonly of: (named: string) => Iterable<string>;
  /** `who` named `before` and names `after` now. */
  readonly move: (who: string, before: Iterable<string>, after: Iterable<string>) => void;
  /** How many are named by anybody. */
  readonly size: () => number;
}

export function createReverseIndex(): ReverseIndex {
  const index = new Map<string, Set<string>>();
  const add = (named: string, who: string): void => {
    const there = index.get(named);
    if (there === undefined) index.set(named, new Set([who]));
    else there.add(who);
  };
  const remove = (named: string, who: string): void => {
    const there = index.get(named);
    there?.delete(who);
    if (there?.size === 0) index.delete(named);
  };
  return {
    of: (named) => index.get(named) ?? [],
    move: (who, before, after) => {
      for (const named of before) remove(named, who);
      for (const named of after) add(named, who);
    },
    size: () => index.size,
  };
}
