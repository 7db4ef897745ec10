import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

export interface Answer {
  /** 0: no answer at all. */
  readonly status: number;
  readonly text: string;
}

export interface Traffic {
  /** All answers so far, in the order in which they came. */
  readonly answers: readonly Answer[];
  /** Stops asking and waits for what is on its way. */
  readonly stop: () => Promise<readonly Answer[]>;
}

/** One GET over kept-alive connections, to `host` where that is not the URL's; a failure is an answer with status 0. */
export function createAsker(
  url: string,
  host = new URL(url).host,
): { readonly ask: (headers?: Readonly<Record<string, string>>) => Promise<Answer>; readonly close: () => void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const ask = (headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    new Promise((resolve) => {
      const failed = (error: Error): void => resolve({ status: 0, text: error.message });
      request(url, { agent, headers: { host, ...headers }, signal: AbortSignal.timeout(10_000) }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text: text.trim() }));
        response.on("error", failed);
      })
        .on("error", failed)
        .end();
    });
  return { ask, close: () => agent.destroy() };
}

/** `count` requests, `parallel` at a time. */
export async function askMany(url: string, count: number, parallel = 16): Promise<readonly Answer[]> {
  const { ask, close } = createAsker(url);
  const answers: Answer[] = [];
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left--;
      answers.push(await ask());
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  close();
  return answers;
}

export interface Load {
  readonly parallel?: number;
  readonly pauseMs?: number;
  readonly maxMs?: number;
  /** The Host header; default: the URL's. */
  readonly host?: string;
}

/**
 * Steady load: `parallel` clients, each asking again `pauseMs` after its answer, for at most `maxMs`. The pause leaves the machine to
 * what is tested.
 */
export function steadyTraffic(url: string, { parallel = 4, pauseMs = 20, maxMs = 60_000, ...to }: Load = {}): Traffic {
  const { ask, close } = createAsker(url, to.host);
  const answers: Answer[] = [];
  const deadline = performance.now() + maxMs;
  let running = true;
  const worker = async (): Promise<void> => {
    while (running && performance.now() < deadline) {
      answers.push(await ask());
      await delay(pauseMs);
    }
  };
  const workers = Promise.all(Array.from({ length: parallel }, worker));
  return {
    answers,
    stop: async () => {
      running = false;
      await workers;
      close();
      return answers;
    },
  };
}
