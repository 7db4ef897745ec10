import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, type TestContext, test } from "vitest";
import { type Route, readRouteConfiguration } from "../../src/envoy/route-messages.ts";
import type { Condition } from "../../src/explain/condition.ts";
import type { Request } from "../../src/explain/request.ts";
import { type RouteTable, routeTable, type TableDecision } from "../../src/explain/route-table.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";
import { envoyBinary, envoyLines } from "../support/envoy.ts";
import { announceSeed, fuzzCount, fuzzSeed } from "../support/fuzz.ts";
import { createRandom } from "../support/random.ts";
import { answerOf, answersTo } from "./answers.ts";
import { askedEnvoy } from "./asked-envoy.ts";
import { randomRequest, randomTable } from "./random-table.ts";
import { requestNear } from "./request-near.ts";

/* The matcher beside a real Envoy: random route tables, and requests near the edges of what their routes ask for. */

const requestsPerTable = 50;
const tablesPerEnvoy = 200;

/** What kinds of conditions decided: had one of them been otherwise, so had been the outcome. */
function decidedBy(table: RouteTable, decision: TableDecision): ReadonlySet<string> {
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

const allKinds: readonly string[] = [
  ...["prefix", "path", "pathSeparatedPrefix", "safeRegex", "grpc", "tlsContext", "runtimeFraction"],
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
  for (let done = 0; done < tables; done += tablesPerEnvoy) {
    const batch = Array.from({ length: Math.min(tablesPerEnvoy, tables - done) }, () => randomTable(random));
    const envoy = await askedEnvoy(binary, batch, context.onTestFinished);
    for (const [index, json] of batch.entries()) {
      const message = readRouteConfiguration(json);
      const table = routeTable(message, semanticsOf(`${line}.0`));
      for (let count = 0; count < requestsPerTable; count++) {
        const request = random.chance(0.8) ? requestNear(random, message) : randomRequest(random);
        const decision = table.decide(request);
        const answer = answerOf(await envoy.ask(index, request));
        const expected = answersTo(table, decision);
        if (!expected.includes(answer)) throw new Error(disagreement(json, request, expected, answer));
        tally.cases++;
        if (decision.outcomes[0]?.kind !== "no-route") tally.taken++;
        for (const kind of decidedBy(table, decision)) tally.deciders.set(kind, (tally.deciders.get(kind) ?? 0) + 1);
      }
    }
  }
}

/** The request, both answers, and what the routes of the tables ask for, a line each. */
function disagreement(table: JsonObject, request: Request, expected: readonly string[], answer: string): string {
  const { virtual_hosts: hosts, ...rest } = table;
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
