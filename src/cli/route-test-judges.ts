import { setTimeout as delay } from "node:timers/promises";
import { placesIn } from "../config/rule-set.ts";
import { resourcesIn } from "../envoy/proxy-resources.ts";
import { type Answer, answerTo } from "../explain/answer.ts";
import { mismatchesOf } from "../explain/mismatches.ts";
import type { Configuration } from "../explain/places.ts";
import type { AskedRequest } from "../explain/route-test.ts";
import { type Semantics, semanticsOfClient } from "../explain/semantics.ts";
import { explanation as explanationShape } from "../explain/shapes.ts";
import type { CliIo, FlagValues } from "./command.ts";
import { dumpIn } from "./explain.ts";
import { readNodeFile } from "./node-file.ts";
import { offlineMesh } from "./offline.ts";
import { proxyNamed } from "./proxies.ts";
import { ServerRefusal } from "./refusal.ts";
import { askJson, pathOf } from "./request.ts";
import type { SuiteDocument } from "./route-test-files.ts";
import type { Judge, JudgeTest } from "./route-test-results.ts";
import { type Server, serverOf } from "./server.ts";
import { beside, noProxy, suiteNode } from "./suite-node.ts";

const unseenInside: Pick<Judge, "sees" | "blind" | "parallel"> = {
  sees: (field) => field !== "response",
  blind: "can be seen from outside only, with --live",
  parallel: 1,
};

type Ask = (request: AskedRequest) => Answer | Promise<Answer>;

const byAnswer =
  (ask: Ask): JudgeTest =>
  async ({ request }, expect) => {
    const answer = await ask(request);
    if (answer.kind === "told") return { kind: "compared", mismatches: mismatchesOf(expect, answer.explanation) };
    return { kind: "failed", reason: [answer.message.replace(/\.$/, ""), answer.hint].filter(Boolean).join(". ") };
  };

/* By files */

export interface FilesJudge extends Judge {
  /** Rules were left out as they have errors. */
  readonly hasRefused: boolean;
}

/** What proxies would get of a server that reads the files of these flags. */
export async function filesJudge(flags: FlagValues, io: CliIo): Promise<FilesJudge> {
  const { ruleSet, hasRefused, resourcesFor, workloadOf } = await offlineMesh(flags, io);
  const locate = placesIn(ruleSet);
  return {
    ...{ ...unseenInside, hasRefused },
    judgeFor: async (document) => {
      const node = await suiteNode(document);
      const resources = resourcesIn(resourcesFor(node));
      return byConfiguration({ resources, locate, workload: workloadOf(node) }, semanticsOfClient(node.client));
    },
  };
}

const byConfiguration = (configuration: Configuration, semantics: Semantics): JudgeTest =>
  byAnswer(({ question }) => answerTo(configuration, question, semantics));

/* By a config dump */

/** What a running Envoy has; which rules are behind it, a dump does not say. */
export async function dumpJudge(file: string, io: CliIo): Promise<Judge> {
  const { configuration, semantics } = await dumpIn(file, io);
  const judgeTest = byConfiguration(configuration, semantics);
  return {
    sees: (field) => field !== "rule" && field !== "response",
    blind: "cannot be seen in a config dump",
    parallel: 1,
    judgeFor: async () => judgeTest,
  };
}

/* By a server */

/** What proxies would get of a server now. */
export async function serverJudge(flags: FlagValues, io: CliIo): Promise<Judge> {
  const server = await serverOf(flags, io);
  return {
    ...unseenInside,
    judgeFor: async (document) => {
      const proxy = await proxyNamed(server, await nameOf(document));
      return byAnswer(({ written }) => askServer(server, { ...written, proxy }));
    },
  };
}

async function nameOf(document: SuiteDocument): Promise<string> {
  const { proxy } = document.suite;
  if (proxy === undefined) throw noProxy(document, "Give it a `proxy`; `fairway proxies` lists those that are known.");
  if (proxy.kind === "node") return proxy.node.id;
  return /\.(ya?ml|json)$/i.test(proxy.name) ? (await readNodeFile(beside(document, proxy.name))).id : proxy.name;
}

/** Many tests are more than a server takes from one client at once. */
const tooMany = { status: 429, pauseMs: 250, times: 100 } as const;

async function askServer(server: Server, body: object): Promise<Answer> {
  for (let times = 0; ; times++) {
    try {
      const request = { method: "POST", path: pathOf("explain"), body, repeatable: true } as const;
      const { value: explanation } = await askJson(server, request, explanationShape);
      return { kind: "told", explanation };
    } catch (error) {
      if (!(error instanceof ServerRefusal)) throw error;
      const { status, code, message, hint } = error;
      if (status === tooMany.status && times < tooMany.times) {
        await delay(tooMany.pauseMs, undefined, { signal: server.signal });
        continue;
      }
      if (code !== "input/invalid") throw error;
      return { kind: "unclear", message, ...(hint !== undefined && { hint }) };
    }
  }
}
