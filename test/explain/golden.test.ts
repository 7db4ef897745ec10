import { readdirSync, readFileSync } from "node:fs";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import { parse } from "yaml";
import type { Request } from "../../src/explain/request.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";
import { envoyBinary, envoyLines } from "../support/envoy.ts";
import { answerOf, naming, read, told } from "./answers.ts";
import { type Asked, type AskedEnvoy, askedEnvoy } from "./asked-envoy.ts";

/* What was once told otherwise than a real Envoy does, each as small as it can be: the answers are those of both. */

interface Golden {
  readonly what: string;
  /** Of the HTTP connection manager. */
  readonly manager?: JsonObject;
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

const asked = ({ manager = {}, table }: Golden): Asked => ({
  manager,
  table: {
    ...table,
    virtual_hosts: table.virtual_hosts.map((host) => ({ ...host, routes: host.routes.map(naming) })),
  },
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
    envoy ??= askedEnvoy(binary, goldens.map(asked), (task) => cleanups.push(task));
    return envoy;
  };
  afterAll(async () => {
    for (const task of cleanups.reverse()) await task();
  });

  test.for(goldens.map((golden, index) => ({ ...golden, index })))("$name", async (golden, context) => {
    const asking = await started(context);
    const listened = read(asked(golden), asking.portOf(golden.index));
    for (const { request, answers } of golden.cases) {
      const sent = whole(request);
      const here = told(listened, sent, semanticsOf(`${line}.0`)).answers;
      const there = answerOf(await asking.ask(golden.index, sent));
      expect({ request, here, there }).toEqual({
        request,
        here: [String(answers[line])],
        there: String(answers[line]),
      });
    }
  });
});
