import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { describe, expect, type TestContext, test } from "vitest";
import type { Exit } from "../../src/app/child.ts";
import { createProcessGroup, type Member } from "../../src/app/dev/process-group.ts";
import { isOpen, isRunning } from "../support/process.ts";
import { waitFor } from "../support/wait-for.ts";

const gone: Exit = { code: 0, signal: null };

/** A member that ends when it is told to, or when it is stopped without patience. */
function fakeMember(name: string): Member & { readonly end: () => void; readonly graces: unknown[] } {
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  const graces: unknown[] = [];
  return {
    name,
    exited,
    graces,
    end: () => resolve(gone),
    stop(options) {
      graces.push(options?.graceMs);
      if (options?.graceMs === 0) resolve(gone);
      return exited;
    },
  };
}

describe("a process group", () => {
  test("tells of a member that ends by itself, not of one that was asked to", async () => {
    const losses: unknown[] = [];
    const group = createProcessGroup((name, exit) => losses.push([name, exit]));
    const [a, b] = [fakeMember("a"), fakeMember("b")];
    await group.start(async () => a);
    await group.start(async () => b);
    a.end();
    await waitFor(() => losses.length > 0);
    await group.stop({ graceMs: 0 });
    expect(losses).toEqual([["a", gone]]);
    expect([a.graces, b.graces]).toEqual([[], [0]]);
  });

  test("can be stopped again with less patience", async () => {
    const group = createProcessGroup(() => {});
    const member = await group.start(async () => fakeMember("slow"));
    let stopped = false;
    const first = group.stop({ graceMs: 5_000 }).then(() => {
      stopped = true;
    });
    expect(stopped).toBe(false);
    await group.stop({ graceMs: 0 });
    await first;
    expect(member.graces.slice(0, 2)).toEqual([5_000, 0]);
  });

  test("what starts while it stops is stopped too, and nothing starts after", async () => {
    const group = createProcessGroup(() => {});
    const late = fakeMember("late");
    const { promise, resolve } = Promise.withResolvers<typeof late>();
    const starting = group.start(() => promise);
    const stopping = group.stop({ graceMs: 0 });
    resolve(late);
    await expect(starting).rejects.toThrow("it is about to stop");
    await stopping;
    expect(late.graces).toEqual([0]);
    await expect(group.start(async () => fakeMember("after"))).rejects.toThrow("it is about to stop");
  });

  test("a start that fails is no member", async () => {
    const group = createProcessGroup(() => {});
    await expect(group.start(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await group.stop();
  });
});

/** A process with a group of two example services; the second one calls itself stubborn and takes no SIGTERM. */
const owner = `
import { startExample } from "${pathToFileURL("src/app/dev/example-process.ts")}";
import { startChild } from "${pathToFileURL("src/app/child.ts")}";
import { createProcessGroup } from "${pathToFileURL("src/app/dev/process-group.ts")}";
import { onTermination } from "${pathToFileURL("src/app/termination.ts")}";
const group = createProcessGroup(() => {});
const web = await group.start(() => startExample({ name: "web", version: "v1", calls: [], address: "127.0.0.1", port: 0 }));
const { promise: trapped, resolve } = Promise.withResolvers();
const stubborn = await group.start(async () => ({
  name: "stubborn",
  ...(await startChild({
    command: "/bin/sh",
    args: ["-c", "trap '' TERM; echo trapped; while :; do sleep 60; done"],
    onLine: resolve,
  })),
}));
await trapped;
onTermination({
  first: () => { console.log("stopping"); void group.stop({ graceMs: 60_000 }); },
  again: () => void group.stop({ graceMs: 0 }),
});
console.log(JSON.stringify({ pids: [web.pid, stubborn.pid], port: web.port }));
`;

interface Owner {
  readonly process: ChildProcess;
  readonly pids: readonly number[];
  readonly address: string;
  readonly printed: () => string;
}

/** As a shell at a terminal starts it: the leader of a process group of its own. */
async function startOwner({ onTestFinished }: TestContext): Promise<Owner> {
  const process = spawn(globalThis.process.execPath, ["--input-type=module", "--eval", owner], { detached: true });
  onTestFinished(() => {
    process.kill("SIGKILL");
  });
  let text = "";
  process.stdout.on("data", (part) => {
    text += part;
  });
  const line = await waitFor(() => /\{.*\}/.exec(text)?.[0]);
  const { pids, port }: { pids: number[]; port: number } = JSON.parse(line);
  return { process, pids, address: `127.0.0.1:${port}`, printed: () => text };
}

describe("leaves no process and no port behind", () => {
  test("Ctrl-C, and again when it takes too long", async (context) => {
    const { process, pids, address, printed } = await startOwner(context);
    const exited = once(process, "exit");
    // The terminal sends it to the whole group in the foreground.
    globalThis.process.kill(-(process.pid ?? 0), "SIGINT");
    await waitFor(() => printed().includes("stopping"));
    const [web = 0, stubborn = 0] = pids;
    await waitFor(async () => !isRunning(web) && !(await isOpen(address)));
    expect(isRunning(stubborn)).toBe(true);
    globalThis.process.kill(-(process.pid ?? 0), "SIGINT");
    expect(await exited).toEqual([0, null]);
    expect(pids.map(isRunning)).toEqual([false, false]);
  });

  test("kill -9", async (context) => {
    const { process, pids, address } = await startOwner(context);
    process.kill("SIGKILL");
    await waitFor(async () => !pids.some(isRunning) && !(await isOpen(address)));
  });
});
