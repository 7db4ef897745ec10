import type { TextPosition } from "../base/yaml-document.ts";

export interface JsonProblem extends TextPosition {
  readonly message: string;
}

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: JsonProblem };

const maxDepth = 100;

/** Parses JSON, and says where it is none. Stricter than `JSON.parse`: names in an object are unique, nesting is bounded. */
export function parseJson(text: string): ParsedJson {
  const fault = faultOf(text);
  if (fault !== undefined) return refused(text, fault.offset, fault.message);
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return refused(text, 0, "It is not JSON: a text in it has an escape that does not exist.");
  }
}

function refused(text: string, offset: number, message: string): ParsedJson {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { ok: false, problem: { message, line, column: offset - before.lastIndexOf("\n") } };
}

interface Fault {
  readonly offset: number;
  readonly message: string;
}

/** What may come next. */
type Expected = "value" | "value or ]" | "name" | "name or }" | ":" | ", or }" | ", or ]" | "the end";

const words: Readonly<Record<Expected, string>> = {
  value: "a value",
  "value or ]": "a value or `]`",
  name: "a name in double quotes",
  "name or }": "a name in double quotes or `}`",
  ":": "`:`",
  ", or }": "`,` or `}`",
  ", or ]": "`,` or `]`",
  "the end": "nothing more",
};

const plain = "-?(?:0|[1-9][0-9]{0,400})(?:\\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,9})?|true|false|null";

/** The first fault of a text, in one pass over its tokens. */
function faultOf(text: string): Fault | undefined {
  const space = /[ \t\r\n]*/y;
  const scalar = new RegExp(plain, "y");
  /** Of each open container, the outermost first: the names so far of an object; undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  let expected: Expected = "value";
  let at = 0;

  const afterValue = (): Expected => {
    if (open.length === 0) return "the end";
    return open.at(-1) === undefined ? ", or ]" : ", or }";
  };
  const unexpected = (): Fault => {
    const found = at >= text.length ? "the end" : JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0));
    return { offset: at, message: `It is not JSON: expected ${words[expected]}, found ${found}.` };
  };

  for (;;) {
    space.lastIndex = at;
    at += space.exec(text)?.[0].length ?? 0;
    const char = text[at];
    if (char === undefined) return expected === "the end" ? undefined : unexpected();
    const wantsValue: boolean = expected === "value" || expected === "value or ]";
    const wantsName: boolean = expected === "name" || expected === "name or }";
    if (char === '"' && (wantsValue || wantsName)) {
      const end = endOfText(text, at);
      if (end === undefined)
        return { offset: at, message: "It is not JSON: a text has no end, or a line break in it." };
      if (wantsName) {
        const name = nameOf(text.slice(at, end));
        const names = open.at(-1);
        if (names?.has(name)) return { offset: at, message: `The field ${JSON.stringify(name)} is there twice.` };
        names?.add(name);
      }
      expected = wantsName ? ":" : afterValue();
      at = end;
    } else if ((char === "{" || char === "[") && wantsValue) {
      if (open.length >= maxDepth) return { offset: at, message: `It is nested more than ${maxDepth} levels deep.` };
      open.push(char === "{" ? new Set() : undefined);
      expected = char === "{" ? "name or }" : "value or ]";
      at += 1;
    } else if (char === closing.get(expected)) {
      open.pop();
      expected = afterValue();
      at += 1;
    } else if (char === "," && (expected === ", or }" || expected === ", or ]")) {
      expected = expected === ", or }" ? "name" : "value";
      at += 1;
    } else if (char === ":" && expected === ":") {
      expected = "value";
      at += 1;
    } else {
      scalar.lastIndex = at;
      const found = wantsValue ? scalar.exec(text) : null;
      if (found === null) return unexpected();
      expected = afterValue();
      at += found[0].length;
    }
  }
}

const closing: ReadonlyMap<Expected, string> = new Map([
  ["name or }", "}"],
  [", or }", "}"],
  ["value or ]", "]"],
  [", or ]", "]"],
]);

/** Behind the closing quote of the text that starts here. */
function endOfText(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code === 0x5c) at += 1;
    else if (code < 0x20) return undefined;
  }
  return undefined;
}

/** Escapes undone, so that `"a"` and `"\u0061"` are one name. */
function nameOf(quoted: string): string {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
