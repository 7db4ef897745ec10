import { canonicalJson } from "./canonical-json.ts";
import { show } from "./decode.ts";
import { type JsonPointer, pointerSteps } from "./json-pointer.ts";
import { boundedPatch, boundedResult, nodesIn, type Patched, type PatchProblem, patchLimits } from "./patch.ts";

interface Operation {
  readonly op: OperationName;
  readonly path: JsonPointer;
  /** Of `move` and `copy`. */
  readonly from: JsonPointer;
  /** Of `add`, `replace` and `test`. */
  readonly value: unknown;
}

type OperationName = "add" | "replace" | "test" | "remove" | "move" | "copy";

/** What each operation needs besides its path, and what it does. */
const kinds: {
  readonly [N in OperationName]: {
    readonly needs?: "value" | "from";
    readonly apply: (document: unknown, operation: Operation) => Patched;
  };
} = {
  add: { needs: "value", apply: (document, { path, value }) => placed("add", document, path, value) },
  replace: { needs: "value", apply: (document, { path, value }) => placed("replace", document, path, value) },
  test: { needs: "value", apply: tested },
  remove: { apply: (document, { path }) => removed(document, path) },
  move: { needs: "from", apply: moved },
  copy: { needs: "from", apply: copied },
};

/** The operations of a JSON Patch (RFC 6902), one after the other, all or none. The value itself is not changed. */
export function applyJsonPatch(value: unknown, operations: unknown): Patched {
  if (!Array.isArray(operations)) {
    return refused({ kind: "malformed", message: "A JSON Patch is a list of operations.", hint: patchExample });
  }
  if (operations.length > patchLimits.operations) {
    const message = `The patch has ${operations.length} operations; ${patchLimits.operations} are the most.`;
    return refused({ kind: "malformed", message, hint: "Put the whole document instead." });
  }
  const tooLarge = boundedPatch(operations);
  if (tooLarge !== undefined) return tooLarge;
  let document = value;
  let work: number = patchLimits.work;
  for (const [index, candidate] of operations.entries()) {
    const operation = parseOperation(candidate);
    if ("problem" in operation) return refused({ ...operation.problem, operation: index });
    work -= workOf(document, operation);
    const result = work < 0 ? tooMuchWork : kinds[operation.op].apply(document, operation);
    if (!result.ok) return refused({ ...result.problem, operation: index });
    document = result.value;
  }
  return boundedResult(document);
}

const tooMuchWork: Patched = {
  ok: false,
  problem: {
    kind: "malformed",
    message: `Up to here the patch compares and copies more than ${patchLimits.work} values.`,
    hint: "Send fewer operations on large lists and objects, or put the whole document instead.",
  },
};

/** A field takes as long to copy as some items. */
const fieldWork = 10;

/** How many values an operation compares or copies: those of a value, or those beside the way to its place. */
function workOf(document: unknown, { op, path, from }: Operation): number {
  if (op === "test") return sizeAt(document, path);
  const source = op === "copy" ? sizeAt(document, from) : op === "move" ? widthOf(document, from) : 0;
  return source + widthOf(document, path);
}

const sizeAt = (document: unknown, path: JsonPointer): number =>
  patchLimits.work - nodesIn(valueAt(document, path)?.value, patchLimits.work);

function widthOf(document: unknown, path: JsonPointer): number {
  let width = 0;
  let parent: unknown = document;
  for (const step of pointerSteps(path)) {
    if (typeof parent !== "object" || parent === null) break;
    width += Array.isArray(parent) ? parent.length : fieldWork * Object.keys(parent).length;
    parent = childOf(parent, step)?.value;
  }
  return width;
}

const patchExample = 'For example [{"op": "replace", "path": "/spec/host", "value": "reviews"}].';

function parseOperation(candidate: unknown): Operation | { readonly problem: PatchProblem } {
  const malformed = (message: string, hint: string) => ({ problem: { kind: "malformed", message, hint } as const });
  if (!isObject(candidate)) return malformed(`Expected an operation, found ${show(candidate)}.`, patchExample);
  const { op, path, from, value } = candidate;
  if (!isOperation(op)) {
    return malformed(`Expected an operation, found ${show(op)}.`, `There are ${Object.keys(kinds).join(", ")}.`);
  }
  const { needs } = kinds[op];
  for (const [field, pointer] of Object.entries(needs === "from" ? { path, from } : { path })) {
    const problem = pointerProblem(pointer);
    if (problem !== undefined) return malformed(`The ${field} of ${op} is ${problem}.`, pointerHint);
  }
  if (needs === "value" && !Object.hasOwn(candidate, "value")) {
    return malformed(`The operation ${op} needs a value.`, "Add the field value; null is one.");
  }
  return { op, path: path as JsonPointer, from: from as JsonPointer, value };
}

const isOperation = (op: unknown): op is OperationName => typeof op === "string" && Object.hasOwn(kinds, op);

const pointerHint = "Write a JSON pointer such as /spec/http/0; / in a name is ~1, and ~ is ~0.";

function pointerProblem(pointer: unknown): string | undefined {
  if (typeof pointer !== "string") return "no text";
  if (!/^(\/([^~/]|~[01])*)*$/.test(pointer)) return `no JSON pointer (${show(pointer)})`;
  return pointerSteps(pointer).length > patchLimits.depth ? `more than ${patchLimits.depth} levels deep` : undefined;
}

function tested(document: unknown, { path, value }: Operation): Patched {
  const found = valueAt(document, path);
  if (found !== undefined && canonicalJson(found.value) === canonicalJson(value)) return { ok: true, value: document };
  const shown = found === undefined ? "nothing" : text(found.value);
  const message = `The test of ${where(path)} failed: expected ${text(value)}, found ${shown}.`;
  return refused({ kind: "test-failed", message, hint: staleHint });
}

const staleHint = "Read the document again, and make the patch for what it is now.";

function copied(document: unknown, { path, from }: Operation): Patched {
  const source = valueAt(document, from);
  return source === undefined ? missing(from) : placed("add", document, path, source.value);
}

function moved(document: unknown, { path, from }: Operation): Patched {
  if (path.startsWith(`${from}/`)) {
    return refused({ kind: "malformed", message: `${where(from)} cannot be moved into itself.` });
  }
  const source = valueAt(document, from);
  if (source === undefined) return missing(from);
  if (path === from) return { ok: true, value: document };
  const rest = removed(document, from);
  return rest.ok ? placed("add", rest.value, path, source.value) : rest;
}

function placed(op: "add" | "replace", value: unknown, path: JsonPointer, placedValue: unknown): Patched {
  const steps = pointerSteps(path);
  if (steps.length === 0) return { ok: true, value: placedValue };
  const edited = edit(value, steps, (parent, step) => {
    if (op === "replace" && childOf(parent, step) === undefined) return undefined;
    if (isObject(parent)) return { ...parent, [step]: placedValue };
    if (!Array.isArray(parent)) return undefined;
    if (op === "replace") return parent.with(Number(step), placedValue);
    const index = step === "-" ? parent.length : indexOf(step);
    return index === undefined || index > parent.length ? undefined : parent.toSpliced(index, 0, placedValue);
  });
  return edited === undefined ? missing(path) : { ok: true, value: edited };
}

function removed(value: unknown, path: JsonPointer): Patched {
  const edited = edit(value, pointerSteps(path), (parent, step) => {
    if (childOf(parent, step) === undefined) return undefined;
    if (Array.isArray(parent)) return parent.toSpliced(Number(step), 1);
    return Object.fromEntries(Object.entries(parent as object).filter(([name]) => name !== step));
  });
  return edited === undefined ? missing(path) : { ok: true, value: edited };
}

/** The value with another parent at the end of the way; undefined when the way leads nowhere. JSON knows no undefined. */
function edit(
  value: unknown,
  [step, ...rest]: readonly string[],
  change: (parent: unknown, step: string) => unknown,
): unknown {
  if (step === undefined) return undefined;
  if (rest.length === 0) return change(value, step);
  const child = childOf(value, step);
  const edited = child === undefined ? undefined : edit(child.value, rest, change);
  if (edited === undefined) return undefined;
  return Array.isArray(value) ? value.with(Number(step), edited) : { ...(value as object), [step]: edited };
}

function valueAt(value: unknown, path: JsonPointer): { readonly value: unknown } | undefined {
  return pointerSteps(path).reduce<{ readonly value: unknown } | undefined>(
    (found, step) => found && childOf(found.value, step),
    { value },
  );
}

function childOf(parent: unknown, step: string): { readonly value: unknown } | undefined {
  if (Array.isArray(parent)) {
    const index = indexOf(step);
    return index !== undefined && index < parent.length ? { value: parent[index] } : undefined;
  }
  return isObject(parent) && Object.hasOwn(parent, step) ? { value: parent[step] } : undefined;
}

const indexOf = (step: string): number | undefined => (/^(0|[1-9]\d{0,8})$/.test(step) ? Number(step) : undefined);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const refused = (problem: PatchProblem): Patched => ({ ok: false, problem });

function missing(path: JsonPointer): Patched {
  const place = path === "" ? "place beside the whole document" : path;
  return refused({ kind: "missing", message: `There is no ${place}.`, hint: staleHint });
}

const where = (path: JsonPointer): string => (path === "" ? "the document" : path);

/** Short data in full, longer data in words. */
function text(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length <= 80 ? json : show(value);
}
