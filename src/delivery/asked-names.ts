import { memoize } from "../base/memo.ts";
import type { SentResource } from "./history.ts";

/** Asked for by name, and not there. */
export interface AbsentName {
  readonly name: string;
  /** When the proxy was last told so, and whether as an error of that resource. Absent: it was not told. */
  readonly told?: Telling;
}

interface Telling {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly error: boolean;
}

/** What one stream asks for, of one type. Bounded by what it asks for. */
export interface AskedNames {
  readonly wildcard: () => boolean;
  /** `names` is kept as it is, not copied. */
  readonly ask: (names: ReadonlySet<string>, wildcard: boolean) => void;
  readonly sent: (resources: readonly SentResource[], atMs: number) => void;
  /** Those names for which `has` is false. */
  readonly absent: (has: (name: string) => boolean) => readonly AbsentName[];
}

/** `wholeSet`: responses carry all that is subscribed to and exists, so that silence about a name says that it does not. */
export function createAskedNames(wholeSet: boolean): AskedNames {
  let names: ReadonlySet<string> = new Set();
  let wildcard = false;
  const told = new Map<string, Telling>();
  let wholeAnswer: { readonly names: ReadonlySet<string>; readonly atMs: number } | undefined;

  const toldOf = (name: string): Telling | undefined => {
    const single = told.get(name);
    if (single !== undefined || wholeAnswer?.names.has(name) !== true) return single;
    return { atMs: wholeAnswer.atMs, error: false };
  };

  return {
    wildcard: () => wildcard,
    ask(next, everything) {
      names = next;
      wildcard = everything;
      for (const name of told.keys()) if (!names.has(name)) told.delete(name);
    },
    sent(resources, atMs) {
      for (const { name, version, error = false } of told.size === 0 ? withoutVersion(resources) : resources) {
        if (version !== undefined) told.delete(name);
        else if (names.has(name)) told.set(name, { atMs, error });
      }
      if (wholeSet) wholeAnswer = { names, atMs };
    },
    absent: (has) =>
      [...names]
        .filter((name) => !has(name))
        .map((name) => {
          const telling = toldOf(name);
          return { name, ...(telling && { told: telling }) };
        }),
  };
}

/** Mostly none: one list for all streams that are sent the same. */
const withoutVersion = memoize((resources: readonly SentResource[]) =>
  resources.filter(({ version }) => version === undefined),
);
