import { readdirSync, readFileSync } from "node:fs";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import { parse } from "yaml";
import { readRouteConfiguration } from "../../src/envoy/route-messages.ts";
import type { Request } from "../../src/explain/request.ts";
import { routeTable } from "../../src/explain/route-table.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";
import { envoyBinary, envoyLines } from "../support/envoy.ts";
import { answerOf, answersTo, naming } from "./answers.ts";
import { type AskedEnvoy, askedEnvoy } from "./asked-envoy.ts";

/* What was once told otherwise than a real Envoy does, each as small as it can be: the answers are those of both. */

interface Golden {
  readonly what: string;
  readonly table: { readonly virtual_hosts: readonly { readonly routes: readonly JsonObject[] }[] };
  readonly cases: readonly {
    readonly request: Partial<Request>;
    readonly answers: Readonly<Record<(typeof envoyLines)[number], JsonValue>>;
  }[];
}

const folder = new URL("golden/", import.meta.url);
const goldens = readdirSync(folder).map((file) => ({
  name: file.replace(".yaml", ""),
  ...(parse(readFileSync(new URL(file, folder), "utf8")) as Golden),
}));

const named = ({ table }: Golden): JsonObject => ({
  ...table,
  virtual_hosts: table.virtual_hosts.map((host) => ({ ...host, routes: host.routes.map(naming) })),
});

const whole = (request: Partial<Request>): Request => ({
  ...{ method: "GET", scheme: "http", authority: "any.com", path: "/", headers: [] },
  ...request,
});

describe.each(envoyLines)("Envoy %s", (line) => {
  const cleanups: (() => Promise<void>)[] = [];
  let envoy: Promise<AskedEnvoy> | undefined;
  const started = async (context: TestContext): Promise<AskedEnvoy> => {
    const binary = await envoyBinary(context, line);
    envoy ??= askedEnvoy(binary, goldens.map(named), (task) => cleanups.push(task));
    return envoy;
  };
  afterAll(async () => {
    for (const task of cleanups.reverse()) await task();
  });

  test.for(goldens.map((golden, index) => ({ ...golden, index })))("$name", async (golden, context) => {
    const asking = await started(context);
    const table = routeTable(readRouteConfiguration(named(golden)), semanticsOf(`${line}.0`));
    for (const { request, answers } of golden.cases) {
      const asked = whole(request);
      const decision = table.decide(asked);
      const here = answersTo(table, decision);
      const there = answerOf(await asking.ask(golden.index, asked));
      expect({ request, here, there }).toEqual({
        request,
        here: [String(answers[line])],
        there: String(answers[line]),
      });
    }
  });
});
