import { MeshError } from "../base/errors.ts";
import { type JsonPointer, pointerSteps, pointerTo } from "../base/json-pointer.ts";
import { nearest } from "../base/nearest.ts";
import { readFiles } from "../base/read-files.ts";
import type { Place } from "../config/finding.ts";
import { placesIn, type RuleSet } from "../config/rule-set.ts";
import { type Origin, originsAt } from "../envoy/provenance.ts";
import type { ResourceSet } from "../envoy/resource-set.ts";
import type { TypeName } from "../envoy/resource-types.ts";
import { outputLists, resourceJson } from "./compiled-json.ts";
import { childOf } from "./plain-data.ts";
import { formatExcerpt } from "./source-excerpt.ts";
import type { Style } from "./style.ts";
import { visibleText } from "./terminal-text.ts";

/** Who is behind one field of what `compile` prints. */
export interface FieldOrigin {
  readonly pointer: JsonPointer;
  readonly value: unknown;
  readonly resource: { readonly type: TypeName; readonly name: string };
  readonly origins: readonly (Origin | RuleOrigin)[];
}

/** A rule, and where in its file the field is. */
export type RuleOrigin = Extract<Origin, { readonly kind: "rule" }> & Omit<Place, "pointer">;

/** Throws `usage/invalid` when the pointer leads nowhere. */
export function explainField(resources: ResourceSet, ruleSet: RuleSet, pointer: JsonPointer): FieldOrigin {
  const [list = "", index = "", ...inside] = stepsOf(pointer);
  const type = Object.hasOwn(outputLists, list) ? outputLists[list as keyof typeof outputLists] : undefined;
  if (type === undefined) throw nothingAt("", list, outputLists);
  const all = [...resources.resources[type].values()];
  const resource = /^[0-9]+$/.test(index) ? all[Number(index)] : undefined;
  if (resource === undefined) throw nothingAt(`/${list}`, index, all);
  const value = valueAt(resourceJson(resource), inside, `/${list}/${index}`);
  const origins = originsAt(resource.provenance(), inside.reduce<JsonPointer>(pointerTo, ""));
  return {
    pointer,
    value,
    resource: { type, name: resource.name },
    origins: origins.map((origin) => withPlace(origin, ruleSet)),
  };
}

function stepsOf(pointer: JsonPointer): readonly string[] {
  if (pointer.startsWith("/")) return pointerSteps(pointer);
  throw new MeshError("usage/invalid", `${JSON.stringify(pointer)} is no JSON pointer`, {
    hint: "It starts with a list, for example /routes/0/virtualHosts/0/domains.",
  });
}

function valueAt(json: unknown, steps: readonly string[], parent: JsonPointer): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return json;
  const found = childOf(json, step);
  if (found === undefined) throw nothingAt(parent, step, typeof json === "object" && json !== null ? json : {});
  return valueAt(found, rest, pointerTo(parent, step));
}

function nothingAt(parent: JsonPointer, step: string, value: object): MeshError {
  return new MeshError("usage/invalid", `there is nothing at ${pointerTo(parent, step)}`, {
    hint: choices(parent, step, value),
  });
}

/** What could have been meant below `parent`, which has `value`. */
function choices(parent: JsonPointer, step: string, value: object): string {
  const names = Object.keys(value);
  if (names.length === 0) return `There is nothing below ${parent} at all.`;
  if (Array.isArray(value)) return `The list ${parent} has the items 0 to ${names.length - 1}.`;
  const near = nearest(step, names);
  return near === undefined ? `Known there: ${names.join(", ")}.` : `Did you mean ${pointerTo(parent, near)}?`;
}

function withPlace(origin: Origin, ruleSet: RuleSet): Origin | RuleOrigin {
  if (origin.kind !== "rule") return origin;
  return { ...origin, ...placesIn(ruleSet)(origin.rule, origin.pointer) };
}

/** The field, then everyone behind it; rules with their line of source. */
export async function formatField({ pointer, value, resource, origins }: FieldOrigin, style: Style): Promise<string> {
  const shown = typeof value === "object" ? "" : ` = ${style("strong", visibleText(JSON.stringify(value)))}`;
  const head = `${style("quiet", `${resource.type} ${visibleText(resource.name)}`)}\n${pointer}${shown}\n`;
  if (origins.length === 0) return `${head}\nNobody is known to be behind it.\n`;
  const blocks = await Promise.all(origins.map((origin) => formatOrigin(origin, style)));
  return `${head}\n${blocks.join("\n")}`;
}

async function formatOrigin(origin: Origin | RuleOrigin, style: Style): Promise<string> {
  switch (origin.kind) {
    case "rule": {
      const { file, line, column } = origin as RuleOrigin;
      const place = [file, line, column].filter((part) => part !== undefined).join(":");
      const head = `${style("strong", place)}  ${visibleText(origin.rule)}  ${style("quiet", visibleText(origin.pointer))}\n`;
      if (file === undefined || line === undefined || column === undefined) return head;
      const [read] = await readFiles({ paths: [file] });
      const text = read?.kind === "text" ? read.text : "";
      return head + (formatExcerpt({ text, line, column, tone: "accent", style }) ?? "");
    }
    case "registry": {
      const instance = origin.instance === undefined ? "" : `, instance ${visibleText(origin.instance)}`;
      return `registry ${visibleText(origin.registry)}: service ${visibleText(origin.service)}${instance}\n`;
    }
    case "setting":
      return `setting ${origin.name}\n`;
    case "repair":
      return `put in by Fairway: ${visibleText(origin.reason)}\n`;
  }
}
