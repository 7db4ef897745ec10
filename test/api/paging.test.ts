import fc from "fast-check";
import { expect, test } from "vitest";
import { formatPageToken, pageOf, parsePageLimit, parsePageToken } from "../../src/api/paging.ts";

test("pages put together are the whole list in the order of its keys, for any keys and limits", () => {
  const items = fc.array(fc.record({ key: fc.string({ maxLength: 3 }), value: fc.integer() }), { maxLength: 40 });
  fc.assert(
    fc.property(items, fc.integer({ min: 1, max: 7 }), (all, limit) => {
      const seen: (typeof all)[number][] = [];
      let after: ReturnType<typeof parsePageToken>;
      for (let pages = 0; pages <= all.length; pages++) {
        const page = pageOf(all, ({ key }) => key, { limit, ...(after && { after }) });
        expect(page.total).toBe(all.length);
        expect(page.items.length).toBeLessThanOrEqual(limit);
        seen.push(...page.items);
        if (page.continue === undefined) break;
        after = parsePageToken(page.continue);
        expect(after).toBeDefined();
      }
      expect(seen).toEqual([...all].sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key))));
    }),
  );
});

test("a page goes on at its place when items came and went", () => {
  const page = pageOf(["a", "b", "d"], (item) => item, { limit: 2 });
  expect(page).toEqual({ items: ["a", "b"], total: 3, continue: expect.any(String) });
  const after = parsePageToken(page.continue ?? "");
  expect(pageOf(["c", "e", "d"], (item) => item, { limit: 2, ...(after && { after }) }).items).toEqual(["c", "d"]);
});

test("a token is the inverse of its position", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(), (key, ordinal) => {
      const text = Buffer.from(key).toString();
      expect(parsePageToken(formatPageToken({ key: text, ordinal: ordinal % 1e9 }))).toEqual({
        key: text,
        ordinal: ordinal % 1e9,
      });
    }),
  );
});

test.each(["", "!", "AAAA", Buffer.from("01:a").toString("base64url"), "A".repeat(9000)])("%j is no token", (token) => {
  expect(parsePageToken(token)).toBeUndefined();
});

test.each([
  ["1", 1],
  ["1000", 1000],
  ["0", undefined],
  ["1001", undefined],
  ["-1", undefined],
  ["1.5", undefined],
  ["1e2", undefined],
  ["", undefined],
])("limit %j", (text, limit) => {
  expect(parsePageLimit(text)).toBe(limit);
});
