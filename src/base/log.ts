import { type DestinationStream, type Logger, pino } from "pino";

/** Structured log: `log.info({ proxy }, "connected")`. Field names are camelCase; the message is a constant sentence. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error"> & { readonly child: (fields: object) => Log };

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface LogOptions {
  readonly level: LogLevel;
  /** `json`: one object a line. `text`: for people at a terminal. */
  readonly format: "json" | "text";
  readonly write: (line: string) => void;
}

export function createLog({ level, format, write }: LogOptions): Log {
  const destination: DestinationStream = { write: format === "json" ? write : (line) => write(textLine(line)) };
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

function textLine(json: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const rest = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const cause = err !== undefined ? `\n  ${String((err as { stack?: string }).stack ?? err)}` : "";
  return `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(msg)}${rest.join("")}${cause}\n`;
}
