export type EnvoyLogLevel = "trace" | "debug" | "info" | "warning" | "error" | "critical";

/** One line of Envoy's own log. */
export interface EnvoyLogLine {
  readonly level: EnvoyLogLevel;
  /** Envoy's name for the part that speaks, for example `config`. */
  readonly logger: string;
  readonly text: string;
}

const levels: ReadonlySet<string> = new Set(["trace", "debug", "info", "warning", "error", "critical"]);
const format = /^\[[^\]]+\]\[\d+\]\[(\w+)\]\[(\w+)\] (?:\[source\/[^\]]+\] )?(.*)$/;

/** Parses a line in Envoy's default format (with `--log-format-escaped`); what has another form counts as an error told by the system. */
export function parseEnvoyLogLine(line: string): EnvoyLogLine {
  const [, level = "", logger = "", text = ""] = format.exec(line) ?? [];
  return isLevel(level) ? { level, logger, text: unescaped(text) } : { level: "error", logger: "", text: line };
}

/** Worth a person's attention. That Envoy was asked to end is not. */
export const isWarning = ({ level, text }: EnvoyLogLine): boolean =>
  (level === "warning" || level === "error" || level === "critical") && !text.startsWith("caught ENVOY_SIG");

/** A field that a later Envoy refuses. */
export const isDeprecation = (line: EnvoyLogLine): boolean =>
  isWarning(line) && /^Deprecated field:|\bdeprecated\b/i.test(line.text);

const isLevel = (text: string): text is EnvoyLogLevel => levels.has(text);

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/** protobuf puts spaces and a marker into its messages at random, so that nobody relies on their text; people need not see it. */
const unescaped = (text: string): string =>
  text
    .replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter)
    .replace(/goo\.gle\/debug\w+\s*/g, "")
    .replace(/ {2,}/g, " ");
