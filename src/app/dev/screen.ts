import type { CliIo } from "../../cli/command.ts";
import { styleFor } from "../../cli/style.ts";
import { type EventLine, formatEventLine } from "./event-lines.ts";

/** What the person at the terminal sees: the introduction, then events, then the end. */
export interface Screen {
  /** One line for one thing that happened. Until the introduction only what went wrong is kept for later. */
  readonly tell: (line: EventLine) => void;
  readonly introduce: (text: string) => void;
  /** Nothing is told after it. */
  readonly end: () => void;
}

const duringStart: ReadonlySet<EventLine["verb"]> = new Set(["refused", "finding", "stopped"]);

export function createScreen(io: Pick<CliIo, "out" | "now" | "terminal" | "env">): Screen {
  let ended = false;
  let waiting: EventLine[] | undefined = [];
  const print = (line: EventLine) => io.out(formatEventLine(line, io.now(), styleFor(io)));
  const flush = () => {
    for (const line of waiting ?? []) print(line);
    waiting = undefined;
  };
  return {
    tell(line) {
      if (ended) return;
      if (waiting === undefined) print(line);
      else if (duringStart.has(line.verb)) waiting.push(line);
    },
    introduce(text) {
      if (ended) return;
      io.out(text);
      flush();
    },
    end() {
      flush();
      ended = true;
      io.out("\nStopping …\n");
    },
  };
}
