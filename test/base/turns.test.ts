import { expect, test } from "vitest";
import { createTurns } from "../../src/base/turns.ts";

/** Tasks that say when they begin, and end when they are told to. */
function tasks() {
  const turns = createTurns();
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const task = (name: string) => () => {
    begun.push(name);
    const end = Promise.withResolvers<string>();
    ends.set(name, end);
    return end.promise;
  };
  /** What began until nothing more happens by itself. */
  const settled = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return begun.splice(0).join(" ");
  };
  return {
    together: (name: string) => turns.together(task(name)),
    alone: (name: string) => turns.alone(task(name)),
    end: (name: string) => ends.get(name)?.resolve(name),
    fail: (name: string) => ends.get(name)?.reject(new Error(name)),
    settled,
  };
}

test("one after the other, but for those that may be together; nobody is passed by", async () => {
  const { together, alone, end, settled } = tasks();
  const all = [together("a"), together("b"), alone("C"), together("d"), together("e"), alone("F"), alone("G")];
  expect(await settled()).toBe("a b");
  end("b");
  expect(await settled()).toBe("");
  end("a");
  expect(await settled()).toBe("C");
  end("C");
  expect(await settled()).toBe("d e");
  end("d");
  end("e");
  expect(await settled()).toBe("F");
  end("F");
  expect(await settled()).toBe("G");
  end("G");
  expect(await Promise.all(all)).toEqual(["a", "b", "C", "d", "e", "F", "G"]);
});

test("a task that fails fails for its caller, and keeps nobody waiting", async () => {
  const { together, alone, end, fail, settled } = tasks();
  const failing = [together("a"), alone("B")];
  const last = alone("C");
  expect(await settled()).toBe("a");
  fail("a");
  await expect(failing[0]).rejects.toThrow("a");
  expect(await settled()).toBe("B");
  fail("B");
  await expect(failing[1]).rejects.toThrow("B");
  expect(await settled()).toBe("C");
  end("C");
  expect(await last).toBe("C");
});
