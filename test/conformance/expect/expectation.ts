import type { TypeName } from "../../../src/envoy/resource-types.ts";
import type { Cell } from "../run-case.ts";
import type { StatementId } from "../statements.ts";
import type { VariantName } from "../variants.ts";

/** A failure that we know and can explain. What is not given stands for all. */
export interface Expectation {
  readonly statement: StatementId;
  /** The configuration's name, behind the colon of the target's. */
  readonly configs?: readonly string[];
  readonly variants?: readonly VariantName[];
  readonly types?: readonly TypeName[];
  readonly title?: string;
  readonly reason: string;
  /** It is a matter of time, and may pass as well. */
  readonly sometimes?: true;
  /** When it was seen, `YYYY-MM-DD`. */
  readonly seen: string;
}

export function expectationFor(
  expectations: readonly Expectation[],
  target: string,
  { case: tried, variant, type }: Cell,
): Expectation | undefined {
  const config = target.slice(target.indexOf(":") + 1);
  return expectations.find(
    (one) =>
      one.statement === tried.statement &&
      (one.configs?.includes(config) ?? true) &&
      (one.variants?.includes(variant.name) ?? true) &&
      (one.types?.includes(type) ?? true) &&
      (one.title === undefined || one.title === tried.title),
  );
}
