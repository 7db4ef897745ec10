import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDocuments } from "../../src/base/yaml-document.ts";
import { editYaml } from "../../src/base/yaml-edit.ts";

const lines = (...parts: readonly string[]) => parts.map((line) => `${line}\n`).join("");

describe("comments stay with what they speak of", () => {
  const cases: readonly (readonly [string, string, unknown, string])[] = [
    [
      "an item goes and the next one changes",
      lines("a:", "# ann's", "- name: canary # 5 %", "  weight: 5", "# for ever", "- name: stable", "  weight: 95"),
      { a: [{ name: "stable", weight: 100 }] },
      lines("a:", "# for ever", "- name: stable", "  weight: 100"),
    ],
    [
      "an item comes and the next one changes",
      lines("a:", "# for ever", "- name: stable", "  weight: 100"),
      { a: [{ name: "canary" }, { name: "stable", weight: 95 }] },
      lines("a:", "- name: canary", "# for ever", "- name: stable", "  weight: 95"),
    ],
    [
      "what YAML 1.1 takes for something else is quoted",
      lines("a: one # A", "b: [x]", "c:", "  - d"),
      { a: "yes", b: ["x", "on"], c: ["d", "no"], time: "12:30:00" },
      lines('a: "yes" # A', 'b: [x, "on"]', "c:", "  - d", '  - "no"', 'time: "12:30:00"'),
    ],
    [
      "an item takes the place of another",
      lines("a:", "# ann's", "- name: canary", "  weight: 5", "- name: stable"),
      { a: [{ name: "other", weight: 6 }, { name: "stable" }] },
      lines("a:", "- name: other", "  weight: 6", "- name: stable"),
    ],
    [
      "an item without a name changes and the one before it goes",
      lines("- host: a # A", "  port: 1", "# the second", "- host: b # B", "  port: 1"),
      [{ host: "b", port: 2 }],
      lines("# the second", "- host: b # B", "  port: 2"),
    ],
    [
      "an item gets another name",
      lines("- name: a # A", "  x: 1", "  w: 2", "# the second", "- name: b # B", "  x: 3"),
      [
        { name: "a", x: 1, w: 2 },
        { name: "c", x: 3 },
      ],
      lines("- name: a # A", "  x: 1", "  w: 2", "# the second", "- name: c # B", "  x: 3"),
    ],
    [
      "items change places",
      lines("- a # A", "# the second", "- b: 1 # B", "  c: 2", "- d # D"),
      ["d", { b: 1, c: 3 }, "a"],
      lines("- d # D", "# the second", "- b: 1 # B", "  c: 3", "- a # A"),
    ],
    [
      "the first field goes from under the head of the text",
      lines("# Owner: team a", "a: 1", "b: 2 # B"),
      { b: 2 },
      lines("# Owner: team a", "b: 2 # B"),
    ],
    [
      "the first field goes after an empty line",
      lines("", "# about a", "a: 1", "b: 2 # B"),
      { b: 2 },
      lines("", "b: 2 # B"),
    ],
    [
      "the last item goes and a field comes behind it",
      lines("a:", "  b:", "  - x # X", "  # the last", "  - y # Y", "# the next", "c: 1"),
      { a: { b: ["x"], d: 2 }, c: 1 },
      lines("a:", "  b:", "  - x # X", "  d: 2", "# the next", "c: 1"),
    ],
    [
      "the first field of an item goes",
      lines("- a: 1 # A", "  # the second", "  b: 2", "  # the third", "  c: 3"),
      [{ c: 3 }],
      lines("- # the third", "  c: 3"),
    ],
    [
      "lines take the place of a value",
      lines("a: 1 # A", "# the second", "b: 2 # B", "c: [] # C"),
      { a: { x: 1 }, b: { w: [2] }, c: [] },
      lines("a: # A", "  x: 1", "# the second", "b: # B", "  w:", "    - 2", "c: [] # C"),
    ],
    [
      "lines take the place of an item",
      lines("- a # A", "- b # B"),
      ["a", { x: 1, w: 2 }],
      lines("- a # A", "- # B", "  x: 1", "  w: 2"),
    ],
    [
      "a value takes the place of lines",
      lines("a: # A", "  x: 1 # X", "b: |- # B", "  text", "c: 1"),
      { a: 1, b: "other", c: 1 },
      lines("a: 1 # A", "b: other # B", "c: 1"),
    ],
    [
      "a field comes behind a text with empty lines",
      lines("# head", "a:", "  b: |+ # B", "    text", "", "# the last", "c: 1"),
      { a: { b: "text\n\n", d: 1 }, c: 1 },
      lines("# head", "a:", "  b: |+ # B", "    text", "", "  d: 1", "# the last", "c: 1"),
    ],
    [
      "a field goes behind a text with empty lines",
      lines("a: |+ # A", "  text", "b: 1", "", "# the last", "c: 1"),
      { a: "text\n", c: 1 },
      lines("a: |+ # A", "  text", "# the last", "c: 1"),
    ],
    [
      "brackets gain a field",
      lines("a: {", "  b: 1,   # B", "  c: {} # C", "}"),
      { a: { b: 1, c: { x: 1 }, d: 2 } },
      lines("a: {", "  b: 1,   # B", "  c: {x: 1}, # C", "  d: 2", "}"),
    ],
    [
      "brackets lose the last item",
      lines("a: [", "  b, # B", "  # the last", "  c # C", "]"),
      { a: ["b"] },
      lines("a: [", "  b # B", "]"),
    ],
    [
      "brackets lose the first item and keep the last comma",
      lines("a: [", "  # the first", "  b, # B", "  # the last", "  c, # C", "]"),
      { a: ["c"] },
      lines("a: [", "  # the last", "  c, # C", "]"),
    ],
    [
      "items on one line change places",
      lines("a: [ b, c, d ] # A"),
      { a: ["d", "b", "c"] },
      lines("a: [ d, b, c ] # A"),
    ],
    [
      "items with comments change places on few lines",
      lines("a: [b, c # C", "  ] # A"),
      { a: ["c", "b"] },
      lines("a: [c, # C", "    b", "  ] # A"),
    ],
    [
      "fields beside merged ones",
      lines("a: &x {k: 1} # A", "b:", "  <<: *x # merged", "  m: 2 # M", "c: *x # C"),
      { a: { k: 1 }, b: { k: 5, m: 3 }, c: { k: 1 } },
      lines("a: &x {k: 1} # A", "b:", "  <<: *x # merged", "  m: 3 # M", "  k: 5", "c: *x # C"),
    ],
    [
      "an alias of what changes",
      lines("# head", "a: &x # A", "  k: 1 # N", "b:", "  <<: *x", "  m: 2 # M", "c: *x"),
      { a: { k: 2 }, b: { k: 1, m: 2 }, c: { k: 1 } },
      lines("# head", "a:", "  # A", "  k: 2 # N", "b:", "  k: 1", "  m: 2 # M", "c:", "  k: 1"),
    ],
  ];
  test.each(cases)("%s", (_name, text, after, expected) => {
    expect(editYaml(text, after)).toBe(expected);
    const windows = (unix: string) => unix.replaceAll("\n", "\r\n");
    if (!text.includes("<<")) expect(editYaml(windows(text), after)).toBe(windows(expected));
  });
});

/** A document as it is written, with what is to become of each of its parts. */
type Part =
  | { readonly kind: "text"; readonly style: "plain" | "|" | "|-" | "|+" }
  | {
      readonly kind: "fields" | "items";
      readonly isFlow: boolean;
      readonly isTurned: boolean;
      readonly parts: readonly Slot[];
    };

interface Slot {
  readonly part: Part;
  readonly hasAbove: boolean;
  readonly hasBehind: boolean;
  readonly hasGap: boolean;
  readonly fate: "stays" | "changes" | "goes" | "gets company";
}

describe("any document, any change", () => {
  const text = fc.record({
    kind: fc.constant("text" as const),
    style: fc.constantFrom("plain" as const, "|", "|-", "|+"),
  });
  const plain = fc.constant({ kind: "text" as const, style: "plain" as const });
  const slotOf = (part: fc.Arbitrary<Part>): fc.Arbitrary<Slot> =>
    fc.record({
      part,
      hasAbove: fc.boolean(),
      hasBehind: fc.boolean(),
      hasGap: fc.boolean(),
      fate: fc.oneof(
        { weight: 4, arbitrary: fc.constant("stays" as const) },
        fc.constantFrom("changes" as const, "goes" as const, "gets company" as const),
      ),
    });
  const { fields } = fc.letrec<{ part: Part; fields: Part; items: Part; flow: Part }>((tie) => {
    const kind = fc.constantFrom("fields" as const, "items" as const);
    const isTurned = fc.boolean();
    const parts = (inner: fc.Arbitrary<Part>) => fc.array(slotOf(inner), { minLength: 1, maxLength: 4 });
    return {
      part: fc.oneof({ maxDepth: 3, withCrossShrink: true }, text, tie("fields"), tie("items"), tie("flow")),
      fields: fc.record({
        kind: fc.constant("fields" as const),
        isFlow: fc.constant(false),
        isTurned,
        parts: parts(tie("part")),
      }),
      items: fc.record({
        kind: fc.constant("items" as const),
        isFlow: fc.constant(false),
        isTurned,
        parts: parts(fc.oneof(plain, tie("fields"))),
      }),
      flow: fc.record({ kind, isFlow: fc.constant(true), isTurned, parts: parts(plain) }),
    };
  });
  interface Written {
    readonly lines: readonly string[];
    readonly before: unknown;
    readonly after: unknown;
    /** What is still there, and whose comments are to be. */
    readonly comments: readonly string[];
  }

  const texts = { plain: "text", "|": "one\ntwo\n", "|-": "one\ntwo", "|+": "one\ntwo\n\n" } as const;

  /** Each part has a name of its own, and says it in its comments. */
  function writer({
    step,
    isIn,
    hasGaps,
    commaLast,
  }: Readonly<Record<"isIn" | "hasGaps" | "commaLast", boolean>> & { readonly step: number }) {
    let count = 0;
    // Empty lines would become part of a text that keeps them.
    const styleIn = (mark: keyof typeof texts) => (hasGaps && mark === "|+" ? "|-" : mark);
    const write = (part: Part, indent: string): Written => {
      if (part.kind === "text") {
        const data = texts[styleIn(part.style)];
        return { lines: [], before: data, after: data, comments: [] };
      }
      const slots = part.parts.map((slot) => ({ ...slot, ...writeSlot(slot, part, indent) }));
      const staying = slots.filter(({ fate }) => fate !== "goes");
      if (part.kind === "items" && part.isTurned) staying.reverse();
      const after = staying.flatMap((slot) => [
        [slot.name, slot.after] as const,
        ...(slot.fate === "gets company"
          ? [[`${slot.name}x`, part.kind === "items" ? `${slot.name}x` : { x: [1] }] as const]
          : []),
      ]);
      const before = slots.map((slot) => [slot.name, slot.before] as const);
      return {
        lines: slots.flatMap(({ lines }) => lines),
        before: part.kind === "fields" ? Object.fromEntries(before) : before.map(([, value]) => value),
        after: part.kind === "fields" ? Object.fromEntries(after) : after.map(([, value]) => value),
        comments: staying.flatMap(({ comments }) => comments),
      };
    };
    const writeSlot = (slot: Slot, parent: Exclude<Part, { kind: "text" }>, indent: string) => {
      const name = `n${count++}e`;
      const isItem = parent.kind === "items";
      const isLast = parent.parts.at(-1) === slot;
      const { part } = slot;
      // Texts with several lines stand behind a name only.
      const inner = part.kind === "items" && !part.isFlow && !isIn ? indent : indent + " ".repeat(isItem ? 2 : step);
      const value = write(part, inner);
      const above = slot.hasAbove ? [`${indent}# above ${name}`] : [];
      // Behind brackets on several lines there is nothing that has the name.
      const hasBehind = slot.hasBehind && !(part.kind !== "text" && (part.isFlow || isItem));
      const behind = hasBehind ? ` # behind ${name}` : "";
      const comments = [...(slot.hasAbove ? [`# above ${name}`] : []), ...(hasBehind ? [`# behind ${name}`] : [])];
      const isGone = slot.fate === "changes" && !isItem;
      const common = { name, comments: [...comments, ...(isGone ? [] : value.comments)] };
      const gap = hasGaps && slot.hasGap ? [""] : [];
      if (isItem && part.kind === "text") {
        const comma = parent.isFlow && (!isLast || commaLast) ? "," : "";
        const dash = parent.isFlow ? "" : "- ";
        const lines = [...gap, ...above, `${indent}${dash}${name}${comma}${behind}`];
        return { ...common, lines, before: name, after: name };
      }
      if (isItem) {
        // The name of an item is its first field.
        return {
          ...common,
          lines: [...gap, ...above, `${indent}- name: ${name}`, ...value.lines],
          before: { name, ...(value.before as object) },
          after: { name, ...(value.after as object) },
        };
      }
      const after = slot.fate === "changes" ? (part.kind === "text" ? 7 : "other") : value.after;
      const data = { ...common, before: value.before, after };
      const field = `${indent}${name}:`;
      if (part.kind !== "text" && part.isFlow) {
        const [open, close] = part.kind === "items" ? "[]" : "{}";
        return { ...data, lines: [...gap, ...above, `${field} ${open}`, ...value.lines, `${indent}${close}`] };
      }
      if (part.kind !== "text") return { ...data, lines: [...gap, ...above, field + behind, ...value.lines] };
      if (part.style !== "plain") {
        const mark = styleIn(part.style);
        const text = [`${inner}one`, `${inner}two`, ...(mark === "|+" ? [""] : [])];
        return { ...data, lines: [...gap, ...above, `${field} ${mark}${behind}`, ...text] };
      }
      const comma = parent.isFlow && (!isLast || commaLast) ? "," : "";
      return { ...data, lines: [...gap, ...above, `${field} text${comma}${behind}`] };
    };
    return write;
  }

  const style = fc.record({
    step: fc.constantFrom(2, 4),
    isIn: fc.boolean(),
    hasGaps: fc.boolean(),
    commaLast: fc.boolean(),
  });

  test("the text means the data, and all comments of what is still there are in their places", () => {
    fc.assert(
      fc.property(fields, style, fc.constantFrom("\n", "\r\n"), (root, how, lineEnd) => {
        const written = writer(how)(root, "");
        // One field stays whatever happens, so that something of the text does.
        const text = [...written.lines, "last: 1", ""].join(lineEnd);
        expect(parseDocuments(text)[0]?.value).toEqual({ ...(written.before as object), last: 1 });
        const after = { ...(written.after as object), last: 1 };
        const changed = editYaml(text, after);
        expect(parseDocuments(changed)[0]?.value).toEqual(after);
        const found = changed.split(/\r?\n/);
        for (const comment of written.comments) {
          const at = found.findIndex((line) => line.endsWith(comment));
          const name = comment.replace(/.* /, "");
          const isAbove = comment.startsWith("# above");
          expect(found[isAbove ? at + 1 : at]?.split("#")[0], `${comment} in\n${text}\n->\n${changed}`).toContain(name);
        }
      }),
      { numRuns: 200 },
    );
  });
});
