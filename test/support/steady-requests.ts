import { Agent, request } from "node:http";
import { systemClock } from "../../src/base/clock.ts";

export interface Failure {
  readonly atMs: number;
  readonly text: string;
}

export interface SteadyRequests {
  /** Stops asking and waits for what is on its way. */
  readonly stop: () => Promise<{ readonly count: number; readonly failures: readonly Failure[] }>;
}

const pauseMs = 10;

/** Asks 127.0.0.1 for each target again and again, one at a time and with little pause, and keeps what is not a 200. */
export function steadyRequests(targets: readonly { readonly port: number; readonly host: string }[]): SteadyRequests {
  const agent = new Agent({ keepAlive: true });
  const failures: Failure[] = [];
  let count = 0;
  let running = true;
  const ask = ({ port, host }: (typeof targets)[number]): Promise<void> =>
    new Promise((resolve) => {
      const failed = (text: string): void => {
        failures.push({ atMs: performance.now(), text: `${host}:${port} ${text}` });
        resolve();
      };
      request(
        { host: "127.0.0.1", port, agent, headers: { host: `${host}:${port}` }, signal: AbortSignal.timeout(5_000) },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", ({ message }) => failed(message));
          response.on("end", () =>
            response.statusCode === 200 ? resolve() : failed(`${response.statusCode} ${Buffer.concat(parts)}`.trim()),
          );
        },
      )
        .on("error", ({ message }) => failed(message))
        .end();
    });
  const worker = async (target: (typeof targets)[number]): Promise<void> => {
    while (running) {
      await ask(target);
      count++;
      await new Promise<void>((resolve) => systemClock.after(pauseMs, resolve));
    }
  };
  const workers = Promise.all(targets.map(worker));
  return {
    async stop() {
      running = false;
      await workers;
      agent.destroy();
      return { count, failures };
    },
  };
}
