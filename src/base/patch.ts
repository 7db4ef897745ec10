/** Why a patch cannot be applied; nothing of it is, then. */
export interface PatchProblem {
  /**
   * - `malformed`: it is no patch, or beyond a bound.
   * - `missing`: a place that it needs is not there.
   * - `test-failed`: the document is not what the patch was made for.
   */
  readonly kind: "malformed" | "missing" | "test-failed";
  /** Which one, counted from 0. */
  readonly operation?: number;
  readonly message: string;
  readonly hint?: string;
}

export type Patched =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: PatchProblem };

/** Bounds of a patch, of what comes out, and of how many values its operations may compare and copy. */
export const patchLimits = { operations: 1000, depth: 64, nodes: 200_000, work: 2_000_000 } as const;

/** A merge patch (RFC 7396): objects are merged, null removes, all else replaces. The value itself is not changed. */
export function applyMergePatch(value: unknown, patch: unknown): Patched {
  return boundedPatch(patch) ?? boundedResult(merged(value, patch));
}

function merged(value: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const fields = new Map(isObject(value) ? Object.entries(value) : []);
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) fields.delete(name);
    else fields.set(name, merged(fields.get(name), change));
  }
  return Object.fromEntries(fields);
}

/** Refuses a patch that is too large or too deep. */
export const boundedPatch = (patch: unknown): Patched | undefined =>
  nodesIn(patch) < 0 ? tooLarge("The patch") : undefined;

/** The value, unless it is too large or too deep. */
export const boundedResult = (value: unknown): Patched =>
  nodesIn(value) < 0 ? tooLarge("The patched document") : { ok: true, value };

function tooLarge(what: string): Patched {
  const { depth, nodes } = patchLimits;
  const message = `${what} is nested more than ${depth} levels deep, or has more than ${nodes} values.`;
  return { ok: false, problem: { kind: "malformed", message, hint: "Nest less, or write less." } };
}

/** How many values there are left of `nodes` after all within this one; below 0 when there are too many, or too deep ones. */
export function nodesIn(value: unknown, nodes: number = patchLimits.nodes, depth: number = patchLimits.depth): number {
  let left = nodes - 1;
  if (typeof value !== "object" || value === null) return left;
  if (depth === 0) return -1;
  for (const child of Object.values(value)) {
    if (left < 0) return left;
    left = nodesIn(child, left, depth - 1);
  }
  return left;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
