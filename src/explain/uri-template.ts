import { RE2JS } from "re2js";
import { quoted } from "./condition.ts";
import type { Semantics } from "./semantics.ts";

/** A template that Envoy refuses. */
export class BadTemplate extends Error {
  constructor(template: string, why: string) {
    super(`the template ${quoted(template)} ${why}`);
    this.name = "BadTemplate";
  }
}

/** What stands in a path for the variables of a template, by name. */
export type Variables = ReadonlyMap<string, string>;

/** Finds the variables of a path, without its query; undefined for a path that does not fit. */
export type TemplateMatch = (path: string) => Variables | undefined;

/** `*` is one character or more, but no slash; `**` is any text. Both are of the characters that may stand in a path. */
type Piece = { readonly kind: "glob"; readonly glob: "*" | "**" } | { readonly kind: "text"; readonly text: string };

interface Part {
  /** undefined: nobody asks what stands here. */
  readonly variable: string | undefined;
  /** With slashes between them. */
  readonly pieces: readonly Piece[];
}

const characters = "A-Za-z0-9._~%!$&'()+,;:@=*\\-";
const regexes = { "*": `[${characters}]+`, "**": `[${characters}/]*` } as const;
const textForm = new RegExp(`^[${characters}]+$`);
const rewriteTextForm = new RegExp(`^[${characters}/]+$`);
const nameForm = /^[A-Za-z][A-Za-z0-9_]*$/;
const maxVariables = 5;
const maxNameLength = 16;
const maxLength = 256;

/** Such as `/a/*`, `/{b}/c`, `/{b=a/*}/c`, `/a/{b=**}.txt`. Throws `BadTemplate`. */
export function templateMatch(template: string, semantics: Semantics): TemplateMatch {
  check(template.length <= maxLength, template, `is longer than ${maxLength}`);
  const parts = partsOf(template, semantics);
  const names = parts.flatMap(({ variable }) => (variable === undefined ? [] : [variable]));
  check(names.length <= maxVariables, template, `has more than ${maxVariables} variables`);
  check(new Set(names).size === names.length, template, "has a variable twice");
  const globs = parts.flatMap(({ pieces }) => pieces).flatMap((piece) => (piece.kind === "glob" ? [piece.glob] : []));
  check(!globs.slice(0, -1).includes("**"), template, "goes on with a star after two of them");
  const regex = compiled(parts.map(regexOf).join(""));
  return (path) => {
    const found = regex?.matcher(path);
    if (found?.matches() !== true) return undefined;
    return new Map(names.map((name, index) => [name, found.group(index + 1) ?? ""]));
  };
}

/** The path that a template of variables and text makes. Throws `BadTemplate`, for a variable that is not there too. */
export function filledTemplate(template: string, variables: Variables): string {
  check(template.startsWith("/"), template, "does not begin with a slash");
  check(!template.includes("//"), template, "has two slashes together");
  const parts = template.split(/\{([^}]*)\}/);
  return parts
    .map((part, index) => {
      if (index % 2 === 0) {
        check(part === "" || rewriteTextForm.test(part), template, "has a character that may not stand in a path");
        return part;
      }
      const value = variables.get(part);
      if (value === undefined)
        throw new BadTemplate(template, `has a variable ${quoted(part)} that nothing stands for`);
      return value;
    })
    .join("");
}

function check(isGood: boolean, template: string, why: string): asserts isGood {
  if (!isGood) throw new BadTemplate(template, why);
}

const plain = (text: string): Part => ({ variable: undefined, pieces: [{ kind: "text", text }] });

function partsOf(template: string, { variablesInSegments }: Semantics): readonly Part[] {
  check(template.startsWith("/"), template, "does not begin with a slash");
  const parts: Part[] = [plain("/")];
  let rest = template.slice(1);
  const take = (length: number): string => {
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    return taken;
  };
  while (rest !== "") {
    // With text before it, a variable is of one segment.
    const [, before = ""] = (variablesInSegments && /^([^*/{][^/{]*)\{[^/}]*\}/.exec(rest)) || [];
    if (before !== "") parts.push(plain(textOf(take(before.length), template)));
    const [part = ""] = /^(\*\*?|\{[^}]*\}|[^/]*)/.exec(rest) ?? [];
    parts.push(partOf(take(part.length), template));
    const isVariable = part.endsWith("}");
    // What follows a star, or a variable where they fill segments, is the end of all.
    const [after = ""] = (isVariable && variablesInSegments ? /^[^/]*/ : /^[^/].*/s).exec(rest) ?? [];
    if (after !== "") parts.push(plain(textOf(take(after.length), template)));
    if (rest !== "") parts.push(plain(take(1)));
  }
  return parts;
}

function partOf(part: string, template: string): Part {
  const [, variable, pieces] = /^\{([^=}]*)(?:=([^}]*))?\}$/.exec(part) ?? [];
  if (variable === undefined) return { variable, pieces: [pieceOf(part, template)] };
  check(nameForm.test(variable) && variable.length <= maxNameLength, template, `has a bad name ${quoted(variable)}`);
  return {
    variable,
    pieces: (pieces ?? "*").split("/").map((piece) => {
      check(!/^\*.*[^*]|^\*{3}/s.test(piece), template, `has a bad part ${quoted(piece)}`);
      return pieceOf(piece, template);
    }),
  };
}

const pieceOf = (part: string, template: string): Piece =>
  part === "*" || part === "**" ? { kind: "glob", glob: part } : { kind: "text", text: textOf(part, template) };

function textOf(part: string, template: string): string {
  check(textForm.test(part), template, part === "" ? "has an empty segment" : `has a bad part ${quoted(part)}`);
  return part;
}

/** Stars in a text are not escaped: they repeat what is before them. */
function regexOf({ variable, pieces }: Part): string {
  const regex = pieces
    .map((piece) => (piece.kind === "glob" ? regexes[piece.glob] : piece.text.replaceAll(/[$()+.]/g, "\\$&")))
    .join("/");
  return variable === undefined ? regex : `(${regex})`;
}

/** undefined: there are stars that repeat stars. Such a template is taken, and nothing fits. */
function compiled(regex: string): RE2JS | undefined {
  try {
    return RE2JS.compile(regex);
  } catch {
    return undefined;
  }
}
