import type { Case } from "./case.ts";
import type { Cell } from "./run-case.ts";
import type { Target } from "./targets/target.ts";
import { absentBecause, variantOf } from "./variants.ts";

export interface CellPlan {
  readonly cell: Cell;
  /** Why it is not run: the variant or type does not exist there, or the target cannot do what it needs. */
  readonly notApplicable: string | undefined;
}

/** Every case over its variants and types, in order. */
export function planCells(cases: readonly Case[], target: Target): readonly CellPlan[] {
  let number = 0;
  return cases.flatMap((one) =>
    one.variants.flatMap((variantName) =>
      one.types.map((type): CellPlan => {
        const variant = variantOf(variantName);
        const id = `${one.statement}/${variantName}/${type}/${one.title}`;
        const cell: Cell = { case: one, variant, type, id, number: ++number };
        const lacking = one.needs.filter((capability) => !target.can.has(capability));
        const reasons = [
          absentBecause(variant, type),
          target.variants.has(variantName) ? undefined : `the target does not serve ${variantName}`,
          target.types.has(type) ? undefined : `the target does not serve ${type}`,
          lacking.length === 0 ? undefined : `the target's adapter cannot do: ${lacking.join(", ")}`,
        ];
        return { cell, notApplicable: reasons.find((reason) => reason !== undefined) };
      }),
    ),
  );
}
