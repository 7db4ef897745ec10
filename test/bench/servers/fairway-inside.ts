import type { ChildProcess } from "node:child_process";
import type { Held, Inside, LoopDelay, ProfileRow } from "./server.ts";

export interface InsideFairway extends Inside {
  /** The server runs anew: a profile that was begun begins again there. */
  readonly restarted: () => Promise<void>;
}

/** Asks `inside-fairway.ts` in the server, and its metrics. */
export function createInside(child: () => ChildProcess, metricsUrl: string): InsideFairway {
  let profiling = false;
  const ask = <T>(question: string): Promise<T> =>
    new Promise((resolve, reject) => {
      const current = child();
      const heard = (message: { readonly question: string; readonly answer: T }): void => {
        if (message.question !== question) return;
        current.off("message", heard).off("exit", ended);
        resolve(message.answer);
      };
      const ended = (): void => reject(new Error(`the server ended before it answered ${question}`));
      current.on("message", heard).once("exit", ended);
      current.send(question);
    });
  return {
    metrics: async () => {
      const text = await (await fetch(metricsUrl)).text();
      return (name) =>
        [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))].reduce(
          (sum, [, value]) => sum + Number(value),
          0,
        );
    },
    loopDelay: () => ask<LoopDelay>("loop-delay"),
    held: () => ask<Held>("held"),
    startProfile: () => {
      profiling = true;
      return ask<void>("start-profile");
    },
    stopProfile: () => {
      profiling = false;
      return ask<readonly ProfileRow[]>("stop-profile");
    },
    restarted: async () => {
      if (profiling) await ask<void>("start-profile");
    },
  };
}
