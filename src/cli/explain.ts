import type { JsonValue } from "@bufbuild/protobuf";
import { decode } from "../base/decode.ts";
import { MeshError } from "../base/errors.ts";
import { placesIn } from "../config/rule-set.ts";
import { releaseInDump, resourcesInDump } from "../envoy/config-dump.ts";
import { resourcesIn } from "../envoy/proxy-resources.ts";
import { answerTo } from "../explain/answer.ts";
import { leadsSomewhere } from "../explain/endpoints.ts";
import type { Explanation } from "../explain/explanation.ts";
import { type Configuration, nowhere } from "../explain/places.ts";
import { question } from "../explain/question.ts";
import { type Semantics, semanticsOf, semanticsOfClient } from "../explain/semantics.ts";
import { explanation as explanationShape } from "../explain/shapes.ts";
import {
  type CliIo,
  type CommandInput,
  type ExitCode,
  type FlagValues,
  flagValue,
  flagValues,
  isSet,
} from "./command.ts";
import { formatExplanation } from "./explanation-text.ts";
import { readNodeFile } from "./node-file.ts";
import { offlineMesh } from "./offline.ts";
import { wantsJson, writeJson } from "./output.ts";
import { proxyNamed } from "./proxies.ts";
import { readText } from "./read-text.ts";
import { askJson, parseJson, pathOf } from "./request.ts";
import { serverOf } from "./server.ts";
import { styleFor } from "./style.ts";

/** Asks a server, or decides by files. */
export async function explainRequest(
  { arguments: [method = "", url = ""], flags }: CommandInput,
  io: CliIo,
): Promise<ExitCode> {
  const asked = askedIn(method, url, flags);
  const { raw, told } = isOffline(flags) ? await offline(asked, flags, io) : await online(asked, flags, io);
  if (wantsJson(flags)) writeJson(io, raw);
  else io.out(formatExplanation(told, headOf(asked, flags), styleFor(io)));
  return told.outcomes.every(({ result }) => isGood(result)) ? 0 : 1;
}

function isGood(result: Explanation["outcomes"][number]["result"]): boolean {
  if (result.kind === "answer") return result.status < 400;
  if (result.kind === "forward" || result.kind === "tunnel") {
    return leadsSomewhere(result.leadsTo);
  }
  return result.kind === "redirect";
}

interface Told {
  readonly raw: unknown;
  readonly told: Explanation;
}

type Asked = Readonly<Record<string, unknown>> & { readonly method: string; readonly url: string };

function askedIn(method: string, url: string, flags: FlagValues): Asked {
  const isBare = /^(tcp|tls):/.test(url);
  return {
    ...{ url, method: isBare ? "GET" : method.toUpperCase() },
    headers: headersIn(flagValues(flags, "header")),
    ...optional("listener", flagValue(flags, "listener")),
    ...optional("destination", flagValue(flags, "destination")),
    ...(isSet(flags, "inbound") && { inbound: true }),
    ...optional("source", flagValue(flags, "source")),
    ...optional("serverName", flagValue(flags, "sni")),
    applicationProtocols: flagValues(flags, "alpn"),
  };
}

const optional = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: value });

function headersIn(lines: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const pairs = lines.map((line) => {
    const colon = line.indexOf(":");
    if (colon > 0) return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
    throw new MeshError("usage/invalid", `${JSON.stringify(line)} is no header`, {
      hint: "For example -H 'x-user: bob'.",
    });
  });
  const byName = Map.groupBy(pairs, ([name]) => name);
  return Object.fromEntries([...byName].map(([name, list]) => [name, list.map(([, value]) => value)]));
}

const headOf = ({ method, url }: Asked, flags: FlagValues): string => {
  const from = flagValue(flags, "from");
  return `${/^(tcp|tls):/.test(url) ? url : `${method} ${url}`}${from === undefined ? "" : `  from ${from}`}`;
};

/* With a server */

async function online(asked: Asked, flags: FlagValues, io: CliIo): Promise<Told> {
  const server = await serverOf(flags, io);
  const from = flagValue(flags, "from");
  if (from === undefined) {
    throw new MeshError("usage/invalid", "it is not said which proxy gets the request", {
      hint: "Name it with --from; `fairway proxies` lists them.",
    });
  }
  const proxy = await proxyNamed(server, from);
  const body = { proxy, ...asked };
  const { raw, value } = await askJson(
    server,
    { method: "POST", path: pathOf("explain"), body, repeatable: true },
    explanationShape,
  );
  return { raw, told: value };
}

/* By files */

const isOffline = (flags: FlagValues): boolean =>
  ["rules", "catalog", "mesh", "configDump"].some((name) => flags[name] !== undefined);

async function offline(asked: Asked, flags: FlagValues, io: CliIo): Promise<Told> {
  const decoded = decode(question, asked);
  if (!decoded.ok) {
    const [{ message, hint } = { message: "the request cannot be read" }] = decoded.problems;
    throw new MeshError("usage/invalid", message, hint === undefined ? {} : { hint });
  }
  const { configuration, semantics } = await configurationIn(flags, io);
  const answer = answerTo(configuration, decoded.value, semantics);
  if (answer.kind === "told") return { raw: answer.explanation, told: answer.explanation };
  throw new MeshError("input/invalid", answer.message, answer.hint === undefined ? {} : { hint: answer.hint });
}

/** What decides. */
export interface Decided {
  readonly configuration: Configuration;
  readonly semantics: Semantics;
}

async function configurationIn(flags: FlagValues, io: CliIo): Promise<Decided> {
  const dump = flagValue(flags, "configDump");
  if (dump !== undefined) return dumpIn(dump, io);
  const file = flagValue(flags, "from");
  if (file === undefined) {
    throw new MeshError("usage/invalid", "it is not said which proxy gets the request", {
      hint: "Give --from a file with an Envoy node, or with a whole Envoy bootstrap.",
    });
  }
  const node = await readNodeFile(file);
  const { ruleSet, resourcesFor, workloadOf } = await offlineMesh(flags, io);
  return {
    configuration: {
      resources: resourcesIn(resourcesFor(node)),
      locate: placesIn(ruleSet),
      workload: workloadOf(node),
    },
    semantics: semanticsOfClient(node.client),
  };
}

const maxDumpBytes = 256 * 1024 * 1024;

/** What an Envoy has, and as which release it decides. */
export async function dumpIn(file: string, io: CliIo): Promise<Decided> {
  const text = await readText(file, io, maxDumpBytes);
  const json = parseJson(text);
  const hint = "Ask an Envoy's admin address for /config_dump?include_eds.";
  if (json === undefined) throw new MeshError("input/invalid", `${file} is no JSON`, { hint });
  try {
    const dump = json as JsonValue;
    return {
      configuration: { resources: resourcesInDump(dump), locate: nowhere },
      semantics: semanticsOf(releaseInDump(dump)),
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MeshError("input/invalid", `${file} is no config dump: ${reason}`, { hint, cause });
  }
}
