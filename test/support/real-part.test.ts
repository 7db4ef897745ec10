import { expect, test, vi } from "vitest";
import { realPart } from "./real-part.ts";

const missing = () => Promise.reject(new Error("no podman is on the PATH"));
const reason = "a container engine cannot be had: no podman is on the PATH";

/** As vitest's own: it throws. */
const skip = (note?: string | boolean): never => {
  throw new Error(`skipped by the test: ${note}`);
};

test.for([
  ["true", reason],
  ["", `skipped by the test: ${reason}`],
] as const)("with CI=%j a missing part means: %s", async ([ci, said], { onTestFinished }) => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.stubEnv("CI", ci);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
  await expect(realPart({ skip }, "a container engine", missing)).rejects.toThrow(new Error(said));
  expect(warn.mock.calls).toEqual(ci === "true" ? [] : [[`skipped: ${reason}`]]);
});

test("a part that is there is handed over", async ({ skip }) => {
  expect(await realPart({ skip }, "a part", async () => 7)).toBe(7);
});
