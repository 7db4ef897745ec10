import type { JsonPointer } from "../base/json-pointer.ts";
import { percent } from "../base/percent.ts";
import { type Expectation, type ExpectedShare, isSameShare } from "./expectation.ts";
import type { Explanation, Outcome } from "./explanation.ts";
import type { PlacedOrigin } from "./places.ts";
import { type Deed, deedOf, endOrigins, type Wish, wishesIn } from "./wishes.ts";

/** One thing that is not as it was expected. */
export interface Mismatch {
  /** Into the expectation: `/subset`, `/shares/0`. */
  readonly pointer: JsonPointer;
  /** `expected subset v2, but 10 % go to subset v1` */
  readonly message: string;
  /** Who gave what was found instead. */
  readonly origins: readonly PlacedOrigin[];
}

/** What is not as expected, as far as a configuration can tell: all but the response. None: all is. */
export function mismatchesOf(expectation: Expectation, { outcomes }: Explanation): readonly Mismatch[] {
  return [
    ...wishesIn(expectation).flatMap((wish) => broken(wish, outcomes)),
    ...(expectation.shares === undefined ? [] : shareMismatches(expectation.shares, outcomes)),
  ];
}

/** One for each thing that is found instead. */
function broken(wish: Wish, outcomes: readonly Outcome[]): readonly Mismatch[] {
  const others = outcomes.filter((outcome) => !wish.holds(outcome));
  const alike = Map.groupBy(others, (outcome) => wish.found(outcome).join());
  return [...alike.values()].flatMap(([first, ...rest]) => {
    if (first === undefined) return [];
    const all = [first, ...rest];
    const message = `expected ${wish.text}, but ${sentence(shareOf(all), wish.found(first))}`;
    return [{ pointer: wish.pointer, message, origins: distinct(all.flatMap(wish.origins)) }];
  });
}

/** Shares are sums of fractions. */
const sentence = (share: number, [one, many]: Deed): string =>
  isSameShare(100, share * 100) ? `it ${one}` : `${percent(share)} ${many}`;

const shareOf = (outcomes: readonly Outcome[]): number => outcomes.reduce((sum, { share }) => sum + share, 0);

const distinct = (origins: readonly PlacedOrigin[]): readonly PlacedOrigin[] => [
  ...new Map(origins.map((origin) => [JSON.stringify(origin), origin])).values(),
];

/* Shares */

function shareMismatches(shares: readonly ExpectedShare[], outcomes: readonly Outcome[]): readonly Mismatch[] {
  const wanted = shares.map(({ percent: _, ...landing }) => wishesIn(landing));
  const placeOf = (outcome: Outcome): number => wanted.findIndex((all) => all.every(({ holds }) => holds(outcome)));
  const parts = Map.groupBy(outcomes, placeOf);
  const unnamed = Map.groupBy(parts.get(-1) ?? [], ({ result }) => deedOf(result).join());
  return [
    ...shares.flatMap(({ percent: part }, index): readonly Mismatch[] => {
      const own = parts.get(index) ?? [];
      const found = shareOf(own);
      if (isSameShare(part, found * 100)) return [];
      const text = (wanted[index] ?? []).map((wish) => wish.text).join(", ");
      const message = `expected ${percent(part / 100)} for ${text}, but it is ${percent(found)}`;
      return [
        { pointer: `/shares/${index}`, message, origins: distinct((found > 0 ? own : outcomes).flatMap(endOrigins)) },
      ];
    }),
    ...[...unnamed.values()].flatMap(([first, ...rest]): readonly Mismatch[] => {
      if (first === undefined) return [];
      const all = [first, ...rest];
      const message = `expected these shares alone, but ${sentence(shareOf(all), deedOf(first.result))}`;
      return [{ pointer: "/shares", message, origins: distinct(all.flatMap(endOrigins)) }];
    }),
  ];
}
