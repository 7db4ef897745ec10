import { formatHostPort, type HostPort } from "../base/host-port.ts";
import type { LogLevel, LogOptions } from "../base/log.ts";
import type { Flag } from "../cli/command.ts";
import type { Role } from "../security/roles.ts";
import { defaultRegistryOptions, type RegistryOptions } from "./registry-options.ts";

/** What `fairway serve` was told. */
export interface ServeOptions extends RegistryOptions {
  /** Files and directories of rules; watched. */
  readonly rules: readonly string[];
  /** Files and directories of the registry `file`; watched. */
  readonly catalog: readonly string[];
  /** A Kubernetes cluster as a registry: the file that says where it is and who asks. */
  readonly kubeconfig?: string;
  /** Of that file; absent: its current one. */
  readonly kubeContext?: string;
  /** The Kubernetes cluster that this runs in as a registry. */
  readonly inCluster: boolean;
  /** Files of route tests, watched: a change that breaks one of them is refused. */
  readonly routeTests: readonly string[];
  /** A file of mesh settings. */
  readonly mesh?: string;
  /** A directory for what must survive a restart: rules written through the API, tokens, registrations. */
  readonly data: string;
  /** `memory`: nothing survives. */
  readonly store: StoreKind;
  /** Where proxies connect, in plain text. */
  readonly xds: HostPort;
  /** Where people and tools read and write. */
  readonly api: HostPort;
  /** What requests without a token may do; absent: nothing. */
  readonly anonymous?: Role;
  /** Must a write say with If-Match what it changes? */
  readonly requireIfMatch: boolean;
  /** Requests a second that the API takes of one token in the long run; five times as many at once after a quiet time. */
  readonly rateLimit: number;
  /** Health and metrics. */
  readonly metrics: HostPort;
  readonly logLevel: LogLevel;
  /** `auto`: text at a terminal, else JSON. */
  readonly logFormat: LogFormat;
}

export type StoreKind = "sqlite" | "memory";

export type LogFormat = LogOptions["format"] | "auto";

export type OptionName = keyof ServeOptions;

/** Where a value came from. A flag goes before the environment, that before the file, that before the default. */
export type OptionSource =
  | { readonly kind: "flag"; readonly flag: string }
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "file"; readonly file: string; readonly line: number }
  | { readonly kind: "default" };

export interface LoadedOptions {
  readonly options: ServeOptions;
  readonly sources: Readonly<Record<OptionName, OptionSource>>;
}

export interface OptionRow {
  readonly argument: string;
  readonly summary: string;
  /** Paths: in a file they are meant relative to that file. Lists are separated by commas in the environment. A switch is on when it is named; elsewhere it is true or false. */
  readonly holds: "paths" | "path" | "values" | "value" | "switch";
  /** How a number is written. */
  readonly show?: (value: number) => string;
}

/** In the order of the help and of the startup print. */
export const optionRows: Readonly<Record<OptionName, OptionRow>> = {
  rules: { argument: "<path...>", summary: "files or directories of rules, watched", holds: "paths" },
  catalog: {
    argument: "<file...>",
    summary: "files or directories of services and instances, watched",
    holds: "paths",
  },
  kubeconfig: {
    argument: "<file>",
    summary: "a Kubernetes cluster as a registry: where it is, and who asks",
    holds: "path",
  },
  kubeContext: { argument: "<name>", summary: "the context of that file (default: its current one)", holds: "value" },
  inCluster: { argument: "", summary: "the Kubernetes cluster that this runs in as a registry", holds: "switch" },
  routeTests: {
    argument: "<file...>",
    summary: "files of route tests, watched; a change that breaks one is refused",
    holds: "paths",
  },
  registryOrder: {
    argument: "<name...>",
    summary: "whose services count where several registries know one: the first; those that are not named come last",
    holds: "values",
  },
  joinHosts: {
    argument: "<host...>",
    summary: "hosts that are the same service in every registry, so that all their instances count; *.shop.example too",
    holds: "values",
  },
  removalHold: {
    argument: "<duration>",
    summary: "how long to go on serving what a registry loses all of a sudden; 0s: not at all",
    holds: "value",
    show: (ms) => `${ms / 1_000}s`,
  },
  maxShrink: {
    argument: "<percent>",
    summary: "how much of its instances a registry may lose in that time and be believed at once",
    holds: "value",
    show: (share) => `${Math.round(share * 100)}%`,
  },
  trustRemovals: {
    argument: "<host...>",
    summary: "hosts of which nothing is held: what goes there goes at once; *.batch.example too",
    holds: "values",
  },
  mesh: { argument: "<file>", summary: "settings of the whole mesh", holds: "path" },
  data: { argument: "<dir>", summary: "directory for what must survive a restart; made when missing", holds: "path" },
  store: {
    argument: "<kind>",
    summary: "where rules written through the API are kept: sqlite or memory",
    holds: "value",
  },
  xds: { argument: "<host:port>", summary: "where proxies connect, in plain text", holds: "value" },
  api: { argument: "<host:port>", summary: "where people and tools read and write", holds: "value" },
  anonymous: {
    argument: "<role>",
    summary: "what requests without a token may do: viewer, editor or admin (default: nothing)",
    holds: "value",
  },
  requireIfMatch: {
    argument: "",
    summary: "refuse changes of a rule that do not say which version they change",
    holds: "switch",
  },
  rateLimit: {
    argument: "<number>",
    summary: "requests a second of one token; heartbeats of instances are not among them",
    holds: "value",
  },
  metrics: { argument: "<host:port>", summary: "where health and metrics are served", holds: "value" },
  logLevel: { argument: "<level>", summary: "debug, info, warn, error or silent", holds: "value" },
  logFormat: { argument: "<format>", summary: "text, json or auto", holds: "value" },
};

export const optionNames = Object.keys(optionRows) as readonly OptionName[];

/** What holds when nothing is said; the ports are Istio's. */
export const defaultServeOptions: ServeOptions = {
  rules: [],
  catalog: [],
  inCluster: false,
  routeTests: [],
  ...defaultRegistryOptions,
  data: "fairway-data",
  store: "sqlite",
  requireIfMatch: false,
  rateLimit: 200,
  xds: { host: "127.0.0.1", port: 15_010 },
  api: { host: "127.0.0.1", port: 15_080 },
  metrics: { host: "127.0.0.1", port: 15_014 },
  logLevel: "info",
  logFormat: "auto",
};

export const configFlag = "config";
export const configVariable = "FAIRWAY_CONFIG";

/** The flags of `serve`, for the table of commands. */
export const serveFlags: readonly Flag[] = [
  ...optionNames.map((name) => ({
    flags: `${flagOf(name)} ${optionRows[name].argument}`.trim(),
    summary: summaryOf(name),
  })),
  { flags: `--${configFlag} <file>`, summary: "YAML file with any of these options by name (logLevel, …)" },
];

function summaryOf(name: OptionName): string {
  const value = defaultServeOptions[name];
  const shown =
    value === undefined || value === false || (Array.isArray(value) && value.length === 0)
      ? ""
      : ` (default ${textOf(name, value)})`;
  return `${optionRows[name].summary}${shown}`;
}

/** `--log-level` */
export function flagOf(name: OptionName): string {
  return `--${words(name).join("-")}`;
}

/** `FAIRWAY_LOG_LEVEL` */
export function variableOf(name: OptionName): string {
  return `FAIRWAY_${words(name).join("_").toUpperCase()}`;
}

function words(name: string): readonly string[] {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).split(" ");
}

/** `--xds`, `FAIRWAY_XDS`, `fairway.yaml:3` or `default`. */
export function formatSource(source: OptionSource): string {
  switch (source.kind) {
    case "flag":
      return source.flag;
    case "environment":
      return source.variable;
    case "file":
      return `${source.file}:${source.line}`;
    case "default":
      return "default";
  }
}

/** Every option that has a value, with its origin, for the startup print: `["xds", "127.0.0.1:15010", "default"]`. */
export function describeOptions({
  options,
  sources,
}: LoadedOptions): readonly (readonly [OptionName, string, string])[] {
  return optionNames.flatMap((name) => {
    const value = options[name];
    if (value === undefined) return [];
    return [[name, textOf(name, value) || "none", formatSource(sources[name])] as const];
  });
}

function textOf(name: OptionName, value: NonNullable<ServeOptions[OptionName]>): string {
  if (typeof value === "number") return optionRows[name].show?.(value) ?? String(value);
  if (typeof value !== "object") return String(value);
  return "host" in value ? formatHostPort(value) : value.join(", ");
}
