import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { LoadCommand, LoadReports } from "./commands.ts";
import type { LoadAnswer } from "./process.ts";

/** The load process, as the bench sees it. One command at a time. */
export interface Load {
  readonly pid: number;
  readonly tell: <C extends LoadCommand>(command: C) => Promise<LoadReports[C["do"]]>;
  readonly close: () => Promise<void>;
}

export function startLoad(): Load {
  const child = fork(join(import.meta.dirname, "process.ts"), { serialization: "advanced" });
  const exited = once(child, "exit");
  let waiting: PromiseWithResolvers<unknown> | undefined;
  child.on("message", (answer: LoadAnswer) => {
    if ("failure" in answer) waiting?.reject(new Error(`load process: ${answer.failure}`));
    else waiting?.resolve(answer.report);
  });
  exited.then(([code]) => waiting?.reject(new Error(`the load process ended with ${code}`)));
  return {
    pid: child.pid ?? 0,
    tell: async <C extends LoadCommand>(command: C) => {
      waiting = Promise.withResolvers<unknown>();
      child.send(command);
      return (await waiting.promise) as LoadReports[C["do"]];
    },
    close: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
