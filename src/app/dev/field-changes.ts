import { type JsonPointer, pointerTo } from "../../base/json-pointer.ts";

/** A part of a value that is another one now. Where it was not there before, or is not any more, it is undefined. */
export interface FieldChange {
  readonly pointer: JsonPointer;
  readonly before: unknown;
  readonly after: unknown;
}

/** The smallest parts in which two JSON-like values differ, in the order of their fields. A list of another length differs as a whole. */
export function fieldChanges(before: unknown, after: unknown, pointer: JsonPointer = ""): readonly FieldChange[] {
  if (Object.is(before, after)) return [];
  const steps = commonSteps(before, after);
  if (steps === undefined) return [{ pointer, before, after }];
  return steps.flatMap((step) => fieldChanges(childOf(before, step), childOf(after, step), pointerTo(pointer, step)));
}

/** The names or indexes to look below; undefined when the two are not of one shape. */
function commonSteps(before: unknown, after: unknown): readonly string[] | undefined {
  if (!isObject(before) || !isObject(after) || Array.isArray(before) !== Array.isArray(after)) return undefined;
  if (Array.isArray(before) && Array.isArray(after) && before.length !== after.length) return undefined;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])];
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

const childOf = (value: unknown, step: string): unknown => (value as Record<string, unknown>)[step];
