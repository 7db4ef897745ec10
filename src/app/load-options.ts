import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import {
  boolean,
  choice,
  type Decoder,
  decode,
  integer,
  list,
  mapped,
  type Problem,
  parsed,
  text,
} from "../base/decode.ts";
import { object, optional } from "../base/decode-object.ts";
import { parseDurationMs } from "../base/duration.ts";
import { MeshError } from "../base/errors.ts";
import { parseHostPort } from "../base/host-port.ts";
import { pointerSteps } from "../base/json-pointer.ts";
import type { LogLevel } from "../base/log.ts";
import { parseDocuments, type TextDocument } from "../base/yaml-document.ts";
import { type FlagValues, flagValue } from "../cli/command.ts";
import { type Hostname, parseHostname } from "../model/hostname.ts";
import type { Role } from "../security/roles.ts";
import {
  configFlag,
  configVariable,
  defaultServeOptions,
  flagOf,
  formatSource,
  type LoadedOptions,
  type LogFormat,
  type OptionName,
  type OptionRow,
  type OptionSource,
  optionNames,
  optionRows,
  type ServeOptions,
  type StoreKind,
  variableOf,
} from "./options.ts";
import { type RegistryKind, registryKinds } from "./registry-options.ts";

/** What the options are read from; the file was read already. */
export interface OptionInputs {
  readonly flags: FlagValues;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file?: { readonly path: string; readonly text: string };
}

const one = text({ maxLength: 4096 });
/** One of them needs no list around it. */
const listed =
  <T>(item: Decoder<T>): Decoder<readonly T[]> =>
  (value, site) =>
    list(item, { max: 100 })(typeof value === "string" ? [value] : value, site);
const paths = listed(one);
const address = parsed(parseHostPort, "HOST:PORT", {
  hint: "For example 127.0.0.1:15010, [::1]:15010 or 0.0.0.0:15010.",
});

const rate: Decoder<number> = (value, site) =>
  integer({ min: 1, max: 1_000_000 })(
    typeof value === "string" && /^\d{1,7}$/.test(value) ? Number(value) : value,
    site,
  );

const hosts: Decoder<readonly Hostname[]> = listed(
  parsed(parseHostname, "a host name", { maxLength: 254, hint: "It may begin with *. for all hosts below a name." }),
);

/** Those that are not named come last. */
const order = mapped(
  listed(choice(Object.fromEntries(registryKinds.map((kind) => [kind, kind])) as Record<RegistryKind, RegistryKind>)),
  (named) => [...new Set([...named, ...registryKinds])],
);

const holdTime = parsed(holdTimeOf, "a time from 0s to 24h, such as 60s");

function holdTimeOf(value: string): number | undefined {
  const ms = parseDurationMs(value);
  return ms !== undefined && ms <= 24 * 3_600_000 ? ms : undefined;
}

const percentage = parsed(percentageOf, "a percentage from 0% to 100%, such as 30%");

function percentageOf(value: string): number | undefined {
  const number = Number(/^([0-9]{1,3})%$/.exec(value)?.[1]);
  return number <= 100 ? number / 100 : undefined;
}

const given = object({
  rules: optional(paths),
  catalog: optional(paths),
  kubeconfig: optional(one),
  kubeContext: optional(one),
  inCluster: optional(boolean),
  routeTests: optional(paths),
  registryOrder: optional(order),
  joinHosts: optional(hosts),
  removalHold: optional(holdTime),
  maxShrink: optional(percentage),
  trustRemovals: optional(hosts),
  mesh: optional(one),
  data: optional(one),
  store: optional(choice<StoreKind>({ sqlite: "sqlite", memory: "memory" })),
  xds: optional(address),
  api: optional(address),
  anonymous: optional(choice<Role>({ viewer: "viewer", editor: "editor", admin: "admin" })),
  requireIfMatch: optional(boolean),
  rateLimit: optional(rate),
  metrics: optional(address),
  logLevel: optional(
    choice<LogLevel>({ debug: "debug", info: "info", warn: "warn", error: "error", silent: "silent" }),
  ),
  logFormat: optional(choice<LogFormat>({ text: "text", json: "json", auto: "auto" })),
});

/** Reads the options of `serve`, and the file that `--config` names. Throws `usage/invalid` with every problem at once. */
export async function loadServeOptions({ flags, env }: Omit<OptionInputs, "file">): Promise<LoadedOptions> {
  const path = flagValue(flags, configFlag) ?? env[configVariable];
  if (path === undefined || path === "") return decodeServeOptions({ flags, env });
  const content = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new MeshError("usage/invalid", `cannot read the configuration file ${path}`, {
      hint: "Give --config (or FAIRWAY_CONFIG) a YAML file that exists.",
      cause,
    });
  });
  return decodeServeOptions({ flags, env, file: { path, text: content } });
}

/** The same without touching the disk. */
export function decodeServeOptions({ flags, env, file }: OptionInputs): LoadedOptions {
  const fromFile = file === undefined ? undefined : readConfig(file);
  const sources = Object.fromEntries(optionNames.map((name) => [name, sourceOf(name, flags, env, fromFile)])) as Record<
    OptionName,
    OptionSource
  >;
  const raw = optionNames.flatMap((name) => {
    const value = rawValue(name, sources[name], flags, env, fromFile);
    return value === undefined ? [] : [[name, value] as const];
  });
  const decoded = decode(given, Object.fromEntries(raw));
  const problems = [...(fromFile?.problems ?? []), ...decoded.problems.flatMap((problem) => told(problem, sources))];
  if (!decoded.ok || problems.length > 0) throw invalid(problems);
  const options = { ...defaultServeOptions, ...decoded.value };
  const contradiction = contradictionIn(options);
  if (contradiction !== undefined) throw invalid([contradiction]);
  return { options, sources };
}

/** What cannot be meant together. */
function contradictionIn({ kubeconfig, kubeContext, inCluster }: ServeOptions): string | undefined {
  if (inCluster && kubeconfig !== undefined) {
    return "--in-cluster and --kubeconfig name two clusters. Leave out one of the two.";
  }
  return kubeContext !== undefined && kubeconfig === undefined
    ? "--kube-context names a context of a kubeconfig file. Give --kubeconfig, too."
    : undefined;
}

interface ConfigFile {
  readonly path: string;
  readonly document: TextDocument | undefined;
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
}

function readConfig({ path, text: content }: { readonly path: string; readonly text: string }): ConfigFile {
  const [document, second] = parseDocuments(content);
  if (document === undefined) return { path, document, values: {}, problems: [] };
  const at = (
    { line, column }: { readonly line: number; readonly column: number },
    { message, hint }: Pick<Problem, "message" | "hint">,
  ) => `${path}:${line}:${column}: ${message}${hint === undefined ? "" : ` ${hint}`}`;
  const syntax = document.problems.map((problem) => at(problem, problem));
  if (second !== undefined) syntax.push(at(second.start, { message: "A configuration file is one document." }));
  if (syntax.length > 0) return { path, document, values: {}, problems: syntax };
  const decoded = decode(given, document.value);
  const problems = decoded.problems.map((problem) =>
    at(document.locate(problem.pointer, problem.code === "unknown-field" ? "key" : "value"), problem),
  );
  return { path, document, values: decoded.ok ? (document.value as Record<string, unknown>) : {}, problems };
}

function sourceOf(
  name: OptionName,
  flags: FlagValues,
  env: OptionInputs["env"],
  file: ConfigFile | undefined,
): OptionSource {
  const variable = variableOf(name);
  if (flags[name] !== undefined) return { kind: "flag", flag: flagOf(name) };
  if ((env[variable] ?? "") !== "") return { kind: "environment", variable };
  if (file?.document !== undefined && (file.values[name] ?? undefined) !== undefined) {
    return { kind: "file", file: file.path, line: file.document.locate(`/${name}`).line };
  }
  return { kind: "default" };
}

function rawValue(
  name: OptionName,
  source: OptionSource,
  flags: FlagValues,
  env: OptionInputs["env"],
  file: ConfigFile | undefined,
): unknown {
  const { holds } = optionRows[name];
  switch (source.kind) {
    case "flag":
      return isList(holds) || holds === "switch" ? flags[name] : flagValue(flags, name);
    case "environment": {
      const value = env[source.variable] ?? "";
      if (holds === "switch") return /^(true|false)$/.test(value) ? value === "true" : value;
      return isList(holds) ? value.split(",").map((path) => path.trim()) : value;
    }
    case "file":
      return holds === "path" || holds === "paths" ? besideFile(file?.values[name], source.file) : file?.values[name];
    case "default":
      return undefined;
  }
}

const isList = (holds: OptionRow["holds"]): boolean => holds === "paths" || holds === "values";

/** Paths in a file are meant as seen from that file. */
function besideFile(value: unknown, file: string): unknown {
  if (Array.isArray(value)) return value.map((item) => besideFile(item, file));
  return typeof value === "string" && !isAbsolute(value) ? join(dirname(file), value) : value;
}

/** What is wrong in the file itself was told with its line already. */
function told(problem: Problem, sources: Readonly<Record<OptionName, OptionSource>>): readonly string[] {
  const name = optionNames.find((known) => known === pointerSteps(problem.pointer)[0]);
  const source = name === undefined ? undefined : sources[name];
  if (source === undefined || source.kind === "file") return [];
  return [`${formatSource(source)}: ${problem.message}${problem.hint === undefined ? "" : ` ${problem.hint}`}`];
}

function invalid(problems: readonly string[]): MeshError {
  const message =
    problems.length === 1 ? String(problems[0]) : `${problems.length} problems:\n  ${problems.join("\n  ")}`;
  return new MeshError("usage/invalid", message, { hint: "`fairway serve --help` lists all options." });
}
