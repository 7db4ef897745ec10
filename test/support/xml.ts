/** A small reader of XML, strict in what is written by hand most easily wrong: nesting, quotes, entities, characters. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** All text right inside of it. */
  readonly text: string;
}

const names = "[A-Za-z_][\\w.-]*";
const token = new RegExp(
  `<(?<end>/)?(?<name>${names})(?<attributes>(?:\\s+${names}="[^"<]*")*)\\s*(?<alone>/)?>|(?<text>[^<]+)`,
  "y",
);

/** What XML 1.0 lets stand in a document. */
const allowed = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

/** The one element of a document. Throws for what is not well formed. */
export function readXml(document: string): XmlElement {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
  if (!document.startsWith(declaration)) throw new Error("it has no declaration");
  if (!allowed.test(document)) throw new Error("it has characters that XML has not");
  const rest = document.slice(declaration.length).trim();
  const root: Open = { name: "", attributes: {}, children: [], text: "" };
  const open: Open[] = [root];
  token.lastIndex = 0;
  while (token.lastIndex < rest.length) {
    const at = token.lastIndex;
    const found = token.exec(rest)?.groups;
    if (found === undefined) throw new Error(`at ${at}: ${rest.slice(at, at + 40)}`);
    const { end, name = "", attributes = "", alone, text } = found;
    const last = open.at(-1) ?? root;
    if (text !== undefined) last.text += decoded(text);
    else if (end !== undefined) {
      if (last === root || last.name !== name) throw new Error(`</${name}> ends <${last.name}>`);
      open.pop();
    } else {
      const element: Open = { name, attributes: attributesIn(attributes), children: [], text: "" };
      last.children.push(element);
      if (alone === undefined) open.push(element);
    }
  }
  const [only, ...others] = root.children;
  if (open.length > 1 || only === undefined || others.length > 0 || root.text.trim() !== "") {
    throw new Error("it is not one whole element");
  }
  return only;
}

function attributesIn(text: string): Readonly<Record<string, string>> {
  // White space that is not written as a number is a space to readers.
  const pairs = [...text.matchAll(/([\w.-]+)="([^"]*)"/g)].map(
    ([, name = "", value = ""]) => [name, decoded(value.replace(/[\t\n\r]/g, " "))] as const,
  );
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) throw new Error(`an attribute twice: ${text}`);
  return Object.fromEntries(pairs);
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Line ends are one character to readers, however they were written. */
const decoded = (text: string): string =>
  text.replace(/\r\n?/g, "\n").replace(/&(?:#(\d+);|(\w+);)?/g, (whole, code?: string, name = "") => {
    const sign = code === undefined ? entities[name] : String.fromCodePoint(Number(code));
    if (sign === undefined) throw new Error(`${whole} is no entity`);
    return sign;
  });
