import { expect, test } from "vitest";
import { createObjectStore } from "../../src/kube/object-store.ts";

interface Kept {
  readonly labels: Readonly<Record<string, string>>;
}

function store() {
  const errors: string[] = [];
  const objects = createObjectStore<Kept>(
    (object) => {
      if (object["bad"] === true) throw new Error("bad");
      return object["boring"] === true ? undefined : { labels: object["labels"] as Kept["labels"] };
    },
    (key) => errors.push(key),
  );
  return { ...objects, errors };
}

const meta = (key: string, resourceVersion: string, uid = `uid of ${key}`) => ({ key, uid, resourceVersion });
const red = { labels: { color: "red" } };
const blue = { labels: { color: "blue" } };

test("objects come, change and go, and all that came between two looks is one new map", () => {
  const { put, remove, objects } = store();
  const empty = objects();
  put(meta("a", "1"), red);
  put(meta("b", "2"), red);
  remove(meta("b", "3"));
  const first = objects();
  expect([...first]).toEqual([["a", red]]);
  expect(objects()).toBe(first);
  put(meta("a", "4"), blue);
  expect([...objects()]).toEqual([["a", blue]]);
  expect([...first]).toEqual([["a", red]]);
  expect(empty.size).toBe(0);
});

test("what is kept of an object stays the same thing while it is equal", () => {
  const { put, objects } = store();
  put(meta("a", "1"), red);
  const before = objects();
  put(meta("a", "2"), { ...red, status: "changed" });
  expect(objects()).toBe(before);
});

test("an object that was made anew is another thing, however equal", () => {
  const { put, objects, list } = store();
  put(meta("a", "1", "first"), red);
  const before = objects();
  put(meta("a", "2", "second"), { labels: { ...red.labels } });
  const second = objects();
  expect(second.changesTo(before)).toHaveLength(1);
  expect([...second]).toEqual([...before]);

  const listing = list();
  listing.put(meta("a", "3", "third"), { labels: { ...red.labels } });
  listing.done();
  expect(objects().get("a")).not.toBe(second.get("a"));
});

test("an event of a version that is known already is not looked at", () => {
  const { put, objects } = store();
  put(meta("a", "1"), red);
  put(meta("a", "1"), blue);
  expect([...objects()]).toEqual([["a", red]]);
});

test("what becomes boring is gone, and comes back", () => {
  const { put, objects } = store();
  put(meta("a", "1"), red);
  put(meta("a", "2"), { boring: true });
  expect(objects().size).toBe(0);
  put(meta("a", "3"), red);
  expect(objects().size).toBe(1);
});

test("a list replaces all in one step: what it has not is gone, what is equal stays the same thing", () => {
  const { put, objects, list } = store();
  for (const key of ["a", "b", "c"]) put(meta(key, "1"), { labels: { of: key } });
  const before = objects();

  const listing = list();
  listing.put(meta("a", "1"), { labels: { of: "a" } });
  listing.put(meta("b", "5"), blue);
  listing.put(meta("d", "6"), red);
  listing.put(meta("e", "7"), red);
  listing.remove(meta("e", "8"));
  expect(objects()).toBe(before);
  listing.done();
  const after = objects();
  expect([...after.keys()]).toEqual(["a", "b", "d"]);
  expect(after.get("a")).toBe(before.get("a"));
  expect(after.get("b")).toEqual(blue);
});

test("a list that is given up changes nothing", () => {
  const { put, objects, list } = store();
  put(meta("a", "1"), red);
  const before = objects();
  list().put(meta("b", "2"), red);
  list().done();
  expect(objects().size).toBe(0);
  expect(before.size).toBe(1);
});

test("an object that cannot be taken leaves what was known of it, and is told of", () => {
  const { put, objects, errors } = store();
  put(meta("a", "1"), red);
  put(meta("a", "2"), { bad: true });
  put(meta("b", "3"), { bad: true });
  expect([...objects()]).toEqual([["a", red]]);
  expect(errors).toEqual(["a", "b"]);
});
