import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, type TestContext, test } from "vitest";
import { readHttpConnectionManager } from "../../src/envoy/connection-manager-messages.ts";
import type { Route } from "../../src/envoy/route-messages.ts";
import type { Condition } from "../../src/explain/condition.ts";
import { admissionOf } from "../../src/explain/connection-manager.ts";
import type { Request } from "../../src/explain/request.ts";
import { type RouteTable, routeTable, type TableDecision } from "../../src/explain/route-table.ts";
import { type Semantics, semanticsOf } from "../../src/explain/semantics.ts";
import { envoyBinary, envoyLines } from "../support/envoy.ts";
import { announceSeed, fuzzCount, fuzzSeed } from "../support/fuzz.ts";
import { createRandom, type Random } from "../support/random.ts";
import { withCleanup } from "../support/with-cleanup.ts";
import { answerOf, type Listened, read, told } from "./answers.ts";
import { type Asked, type AskedEnvoy, askedEnvoy } from "./asked-envoy.ts";
import { oddRequest, randomManager } from "./random-manager.ts";
import { randomRequest, randomTable } from "./random-table.ts";
import { requestNear } from "./request-near.ts";

/*
 * The matcher beside a real Envoy: random connection managers and route tables, and requests near the edges of what their routes ask
 * for.
 */

const requestsPerTable = 50;
const tablesPerEnvoy = 200;

/** What kinds of conditions decided: had one of them been otherwise, so had been the outcome. */
function conditionsOf(table: RouteTable, decision: TableDecision): ReadonlySet<string> {
  const [first] = decision.outcomes;
  const misses = table.nearMisses(decision).flatMap(({ route, failed: [one, another] }) => {
    if (one === undefined) return ["runtimeFraction"];
    return another === undefined ? [kindOf(route, one)] : [];
  });
  const taken = first?.kind === "route" ? first.conditions.map((one) => kindOf(first.route, one)) : [];
  return new Set([...misses, ...taken]);
}

/** In the words of proto JSON, down to the kind of comparison. */
function kindOf({ match }: Route, { pointer }: Condition): string {
  const [, , field = "", index = ""] = pointer.split("/");
  if (field === "headers") {
    const { headerMatchSpecifier: wanted, invertMatch } = match?.headers[Number(index)] ?? {};
    const kind = wanted?.case === "stringMatch" ? `stringMatch.${wanted.value.matchPattern.case}` : wanted?.case;
    return invertMatch ? "headers, inverted" : `headers.${kind ?? "any"}`;
  }
  if (field === "queryParameters") {
    const { queryParameterMatchSpecifier: wanted } = match?.queryParameters[Number(index)] ?? {};
    return `queryParameters.${wanted?.case ?? "any"}`;
  }
  return field;
}

/** The settings of a connection manager that decided: without one of them another answer had come out. */
function settingsOf(
  manager: JsonObject,
  listened: Listened,
  semantics: Semantics,
): (request: Request, answers: readonly string[]) => readonly string[] {
  const without = Object.entries(manager).map(([name, value]) => {
    const { [name]: _, ...rest } = manager;
    const kind = name === "path_with_escaped_slashes_action" ? String(value) : name;
    return { kind, listened: { ...listened, manager: readHttpConnectionManager(rest) } };
  });
  const admitted = (one: Listened, request: Request): string => JSON.stringify(admissionOf(one, request, semantics));
  return (request, answers) => {
    const before = admitted(listened, request);
    return without
      .filter((one) => admitted(one.listened, request) !== before)
      .filter((one) => told(one.listened, request, semantics).answers.join() !== answers.join())
      .map(({ kind }) => kind);
  };
}

const allKinds: readonly string[] = [
  ...["normalize_path", "merge_slashes", "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD"],
  ...["strip_matching_host_port", "strip_any_host_port", "strip_trailing_host_dot", "use_remote_address", "fragment"],
  ...["prefix", "path", "pathSeparatedPrefix", "safeRegex", "pathMatchPolicy", "grpc", "tlsContext", "runtimeFraction"],
  ...["any", "presentMatch", "rangeMatch"].map((kind) => `headers.${kind}`),
  ...["exact", "prefix", "suffix", "contains", "safeRegex"].map((kind) => `headers.stringMatch.${kind}`),
  ...["headers, inverted", "queryParameters.any", "queryParameters.presentMatch", "queryParameters.stringMatch"],
];

interface Tally {
  cases: number;
  /** Taken by a route. */
  taken: number;
  readonly deciders: Map<string, number>;
}

async function compare(context: TestContext, line: (typeof envoyLines)[number], tables: number, tally: Tally) {
  const binary = await envoyBinary(context, line);
  const random = createRandom(fuzzSeed);
  const managing = createRandom(fuzzSeed + 1);
  const semantics = semanticsOf(`${line}.0`);
  for (let done = 0; done < tables; done += tablesPerEnvoy) {
    const batch = Array.from(
      { length: Math.min(tablesPerEnvoy, tables - done) },
      (): Asked => ({ table: randomTable(random), manager: randomManager(managing) }),
    );
    await withCleanup(async (cleanup) => {
      await compareBatch(await askedEnvoy(binary, batch, cleanup), batch, { random, managing, semantics, tally });
    });
  }
}

interface Batch {
  readonly random: Random;
  readonly managing: Random;
  readonly semantics: Semantics;
  readonly tally: Tally;
}

async function compareBatch(envoy: AskedEnvoy, batch: readonly Asked[], { random, managing, semantics, tally }: Batch) {
  for (const [index, asked] of batch.entries()) {
    const listened = read(asked, envoy.portOf(index));
    const settings = settingsOf(asked.manager, listened, semantics);
    const requests = Array.from({ length: requestsPerTable }, () => {
      const near = random.chance(0.8) ? requestNear(random, listened.table) : randomRequest(random);
      return oddRequest(managing, near, listened.port);
    });
    const answered = await Promise.all(
      requests.map(async (request) => ({ request, answer: answerOf(await envoy.ask(index, request)) })),
    );
    for (const { request, answer } of answered) {
      const { answers, decision } = told(listened, request, semantics);
      if (!answers.includes(answer)) throw new Error(disagreement(asked, request, answers, answer));
      tally.cases++;
      if (decision !== undefined && decision.outcomes[0]?.kind !== "no-route") tally.taken++;
      const conditions = decision === undefined ? [] : conditionsOf(routeTable(listened.table, semantics), decision);
      const fragment = request.path?.includes("#") ? ["fragment"] : [];
      for (const kind of [...conditions, ...settings(request, answers), ...fragment]) {
        tally.deciders.set(kind, (tally.deciders.get(kind) ?? 0) + 1);
      }
    }
  }
}

/** The request, both answers, and what the routes of the tables ask for, a line each. */
function disagreement(asked: Asked, request: Request, expected: readonly string[], answer: string): string {
  const { virtual_hosts: hosts, ...rest } = asked.table;
  const lines = (hosts as readonly JsonObject[]).flatMap(({ name, domains, routes, ...other }) => [
    `${name} ${JSON.stringify(domains)} ${JSON.stringify(other)}`,
    ...(routes as readonly JsonObject[]).map(
      ({ name: route, match, response_headers_to_add: _, ...action }) =>
        `  ${route} ${JSON.stringify(match)} ${JSON.stringify(action)}`,
    ),
  ]);
  return [
    JSON.stringify(request),
    `Envoy: ${answer}; here: ${expected.join(", or ")}`,
    JSON.stringify(asked.manager),
    JSON.stringify(rest),
    ...lines,
  ].join("\n");
}

describe.each(envoyLines)("Envoy %s", (line) => {
  test("decides on every request as the matcher does", { timeout: 1_800_000 }, async (context) => {
    const tables = fuzzCount(20_000);
    announceSeed("requests to random route tables", tables * requestsPerTable);
    const tally: Tally = { cases: 0, taken: 0, deciders: new Map() };
    await compare(context, line, tables, tally);
    const share = (count: number): number => count / tally.cases;
    const kinds = [...tally.deciders].sort(([, a], [, b]) => b - a);
    console.info(`taken by a route: ${(100 * share(tally.taken)).toFixed(0)} %`);
    console.info(kinds.map(([kind, count]) => `${(100 * share(count)).toFixed(1).padStart(5)} %  ${kind}`).join("\n"));
    expect(tally.cases).toBe(tables * requestsPerTable);
    expect(share(tally.taken)).toBeGreaterThan(0.5);
    const rare = allKinds.filter((kind) => share(tally.deciders.get(kind) ?? 0) < 0.01);
    expect(rare, "decided less than one case in a hundred").toEqual([]);
  });
});
