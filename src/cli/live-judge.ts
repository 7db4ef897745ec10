import { MeshError } from "../base/errors.ts";
import { pointerTo } from "../base/json-pointer.ts";
import type { Expectation, ExpectedField, HeaderTexts } from "../explain/expectation.ts";
import type { Mismatch } from "../explain/mismatches.ts";
import type { RouteTest } from "../explain/route-test.ts";
import { type CliIo, type FlagValues, flagValues, isSet } from "./command.ts";
import { type LiveAnswer, sendLive } from "./live-request.ts";
import { reasonOf } from "./request.ts";
import type { Judge } from "./route-test-results.ts";
import { serverUrl } from "./server-url.ts";

const limits = { answerMs: 10_000, parallel: 8 } as const;

/** What can be seen of an answer. */
const seen: ReadonlySet<ExpectedField> = new Set(["status", "location", "response"]);

/** Sends the requests to running proxies. */
export function liveJudge(flags: FlagValues, { signal }: Pick<CliIo, "signal">): Judge {
  const targets = targetsIn(flagValues(flags, "live"));
  const insecure = isSet(flags, "insecure");
  return {
    sees: (field) => seen.has(field),
    blind: "cannot be seen from outside",
    parallel: limits.parallel,
    judgeFor: async () => async (test, expect) => {
      const why = notSentAs(test);
      if (why !== undefined) return { kind: "skipped", reason: why };
      const { request, serverName } = test.request.question;
      const url = targets.get(request?.scheme ?? "");
      if (request === undefined || url === undefined) {
        return {
          kind: "skipped",
          reason: `no --live address for ${request?.scheme ?? "connections without requests"}`,
        };
      }
      const target = {
        url,
        insecure,
        signal,
        withinMs: limits.answerMs,
        ...(serverName !== undefined && { serverName }),
      };
      try {
        return { kind: "compared", mismatches: liveMismatches(expect, await sendLive(request, target)) };
      } catch (error) {
        return { kind: "failed", reason: `no answer from ${url.origin}: ${reasonOf(error, limits.answerMs)}` };
      }
    },
  };
}

/** By the scheme of requests: `http`, `https`. */
function targetsIn(addresses: readonly string[]): ReadonlyMap<string, URL> {
  const targets = new Map<string, URL>();
  for (const address of addresses) {
    const url = serverUrl(address);
    if (url === undefined || url.pathname !== "/") {
      throw new MeshError("usage/invalid", `${JSON.stringify(address)} is no address of a proxy`, {
        hint: "For example http://127.0.0.1:8080; the paths are those of the tests.",
      });
    }
    const scheme = url.protocol.replace(":", "");
    if (targets.has(scheme)) {
      throw new MeshError("usage/invalid", `two --live addresses are for ${scheme}`, {
        hint: "Give one for http and one for https.",
      });
    }
    targets.set(scheme, url);
  }
  return targets;
}

/** What a request may say that this machine cannot do. */
const impossible = ["source", "certificate", "metadata", "applicationProtocols"] as const;

function notSentAs({ request: { written, question } }: RouteTest): string | undefined {
  const [first] = impossible.filter((field) => written[field] !== undefined);
  if (first !== undefined) return `a request that is sent from here has no \`${first}\` of its own`;
  return question.request?.method === "CONNECT" ? "CONNECT is not sent" : undefined;
}

/* What came back */

const noOrigins = { origins: [] } as const;

function liveMismatches(expect: Expectation, answer: LiveAnswer): readonly Mismatch[] {
  const { status, location, response = {} } = expect;
  const found = `it is answered with ${answer.status}`;
  const wantsStatus = (wanted: number | undefined, pointer: string): readonly Mismatch[] =>
    wanted === undefined || wanted === answer.status
      ? []
      : [{ pointer, message: `expected status ${wanted}, but ${found}`, ...noOrigins }];
  return [
    ...wantsStatus(status, "/status"),
    ...headerMismatches(location === undefined ? {} : { location }, answer, () => "/location"),
    ...wantsStatus(response.status, "/response/status"),
    ...headerMismatches(response.headers ?? {}, answer, (name) => pointerTo("/response/headers", name)),
    ...bodyMismatches(response.body, answer.body),
  ];
}

const headerMismatches = (
  wanted: HeaderTexts,
  { headers }: LiveAnswer,
  pointerOf: (name: string) => string,
): readonly Mismatch[] =>
  Object.entries(wanted).flatMap(([name, value]) => {
    const values = headers.filter(([one]) => one === name);
    const found = values.length === 0 ? null : values.map(([, one]) => one).join(",");
    if (found === value) return [];
    const message = `expected an answer ${withHeader(name, value)}, but it is ${withHeader(name, found)}`;
    return [{ pointer: pointerOf(name), message, ...noOrigins }];
  });

const withHeader = (name: string, value: string | null): string =>
  value === null ? `without ${name}` : `with ${name}: ${value || '""'}`;

/** As much of a body as a message shows. */
const shownChars = 200;

function bodyMismatches(wanted: string | undefined, found: string): readonly Mismatch[] {
  if (wanted === undefined || found.includes(wanted)) return [];
  const shown = found.length > shownChars ? `${found.slice(0, shownChars)}…` : found;
  const message = `expected a body with ${JSON.stringify(wanted)}, but it is ${JSON.stringify(shown)}`;
  return [{ pointer: "/response/body", message, ...noOrigins }];
}
