import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** An answer of the program; which fields are there depends on the operation (`main.go` lists them). */
export interface Answer {
  readonly id: number;
  readonly error?: string;
  readonly server?: number;
  readonly port?: number;
  readonly streams?: number;
  readonly versions?: readonly string[];
}

export interface Program {
  readonly pid: number;
  /** Rejects with the program's text when it could not, and when it ends. */
  readonly ask: (request: object) => Promise<Answer>;
  readonly close: () => Promise<void>;
  /** Ends it at once, as a crash would. */
  readonly kill: () => Promise<void>;
}

/** Starts the program at `path`. */
export function startProgram(path: string): Program {
  const child = spawn(path, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<
    number,
    { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }
  >();
  let last = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const answer = JSON.parse(line) as Answer;
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) asked?.resolve(answer);
    else asked?.reject(new Error(`go-control-plane: ${answer.error}`));
  });
  const ended = once(child, "close")
    .catch(() => {})
    .then(() => {
      for (const { reject } of waiting.values()) reject(new Error("go-control-plane's program has ended"));
      waiting.clear();
    });
  child.stdin.on("error", () => {});
  return {
    pid: child.pid ?? 0,
    ask: (request) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { resolve, reject });
        child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
      }),
    close: async () => {
      child.stdin.end();
      await ended;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
