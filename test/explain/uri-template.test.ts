import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Request } from "../../src/explain/request.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";
import { BadTemplate, filledTemplate, templateMatch } from "../../src/explain/uri-template.ts";
import { envoyBinary, envoyLines } from "../support/envoy.ts";
import { announceSeed, fuzzCount, fuzzSeed } from "../support/fuzz.ts";
import { createRandom, type Random } from "../support/random.ts";
import { answerOf, naming, read, told } from "./answers.ts";
import { type Asked, askedEnvoy } from "./asked-envoy.ts";
import { matchByTemplate, rewriteByTemplate } from "./random-table.ts";
import { pathOfTemplate } from "./request-near.ts";
import { takenListeners } from "./taken-listeners.ts";

/* Which templates are refused; what they match is held to a real Envoy together with all other routes. */

const variables = new Map([
  ["a", "x"],
  ["b", "y"],
]);
const matchOfBoth = "/{a}/{b}";

function isTaken(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof BadTemplate) return false;
    throw error;
  }
}

const matches: readonly string[] = [
  ...[
    "/",
    "/a",
    "/a/",
    "/a/b",
    "//",
    "/a//b",
    "a",
    "/a b",
    "/é",
    "/a%2",
    "/a?b",
    "/a#b",
    "/[a]",
    "/a=b",
    "/-._~!$&'()+,;:@",
  ],
  ...[
    "/*",
    "/**",
    "/***",
    "/*/*",
    "/*/**",
    "/**/*",
    "/**/a",
    "/**/{a}",
    "/**/{a=b}",
    "/**.b",
    "/*.b/c",
    "/*.b",
    "/a*",
    "/**a/b",
  ],
  ...[
    "/{a}",
    "/{a=*}",
    "/{a=**}",
    "/{a=b/*}",
    "/{a=*/**}",
    "/{a=**/*}",
    "/{a=**/b}",
    "/{a=}",
    "/{a=/b}",
    "/{a=b/}",
    "/{a=***}",
  ],
  ...[
    "/{}",
    "/{1}",
    "/{a_1}",
    "/{a-b}",
    "/{a",
    "/a}",
    "/{a}}",
    "/{{a}}",
    "/{a}{b}",
    "/{a}b",
    "/x{a}",
    "/{a}/{a}",
    "/{a={b}}",
  ],
  ...["/{a}/{b}/{c}/{d}/{e}", "/{a}/{b}/{c}/{d}/{e}/{f}", `/{${"a".repeat(16)}}`, `/{${"a".repeat(17)}}`],
];

const rewrites: readonly string[] = [
  ...[
    "/",
    "/a",
    "/a/",
    "a",
    "//",
    "/a//b",
    "/{a}",
    "/{a}{b}",
    "/{a}-{b}/",
    "{a}",
    "/{c}",
    "/{a",
    "/a}",
    "/{}",
    "/{a=*}",
    "/*",
  ],
  ...["/a b", "/a?b", "/a=b", "/é", "/{a}/{b}/{a}", "/-._~!$&'()+,;:@%", "/{a}//{b}"],
];

const randomText = (random: Random, parts: readonly string[]): string =>
  `/${Array.from({ length: 1 + random.int(6) }, () => random.pick(parts)).join("")}`;

const matchParts = [
  "/",
  "/",
  "a",
  "b",
  "*",
  "**",
  "{a}",
  "{b=*}",
  "{c=**}",
  "{a=b/*}",
  ".b",
  "=",
  "{",
  "}",
  "%",
] as const;
const rewriteParts = ["/", "a", "{a}", "{b}", "{b}", "{c}", "-", "=", "{", "}", "*"] as const;

const routed = (route: JsonObject, domains: readonly string[] = ["*"]): JsonObject => ({
  ...{ name: domains[0] ?? "", domains: [...domains] },
  routes: [route],
});

const listener = (hosts: readonly JsonObject[]): Asked => ({
  manager: {},
  table: { name: "table", virtual_hosts: [...hosts] },
});

describe.each(envoyLines)("Envoy %s", (line) => {
  const semantics = semanticsOf(`${line}.0`);
  const takesMatch = (template: string): boolean => isTaken(() => templateMatch(template, semantics));
  const takesRewrite = (template: string): boolean => isTaken(() => filledTemplate(template, variables));

  test("takes the templates that we take", { timeout: 120_000 }, async (context) => {
    const binary = await envoyBinary(context, line);
    const count = fuzzCount(20_000);
    announceSeed("random templates", 2 * count);
    const random = createRandom(fuzzSeed);
    const wanted = [...matches, ...Array.from({ length: count }, () => randomText(random, matchParts))];
    const written = [...rewrites, ...Array.from({ length: count }, () => randomText(random, rewriteParts))];
    const listeners = [
      ...wanted.map((text) => listener([routed({ match: matchByTemplate(text), direct_response: { status: 200 } })])),
      ...written.map((text) =>
        listener([
          routed({
            match: matchByTemplate(matchOfBoth),
            route: { cluster_header: "x-cluster", ...rewriteByTemplate(text) },
          }),
        ]),
      ),
    ];
    const taken = await takenListeners(binary, listeners, context.onTestFinished);
    const here = [...wanted.map(takesMatch), ...written.map(takesRewrite)];
    const texts = [...wanted, ...written];
    expect(texts.filter((_, index) => here[index] !== taken[index])).toEqual([]);
    const share = taken.filter((one) => one).length / taken.length;
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.9);
  });

  test("finds in paths what we find", { timeout: 600_000 }, async (context) => {
    const binary = await envoyBinary(context, line);
    const random = createRandom(fuzzSeed);
    const count = fuzzCount(50_000);
    const templates = [...matches, ...Array.from({ length: count }, () => randomText(random, matchParts))].filter(
      takesMatch,
    );
    announceSeed("paths for random templates", templates.length * pathsPerTemplate);
    const hosts = templates.map((text, index) =>
      routed(naming({ name: "r", match: matchByTemplate(text), ...randomUse(random, text) }), [`t${index}`]),
    );
    const asked = listener(hosts);
    const envoy = await askedEnvoy(binary, [asked], context.onTestFinished);
    const listened = read(asked, envoy.portOf(0));
    let fitting = 0;
    for (const [index, template] of templates.entries()) {
      for (let each = 0; each < pathsPerTemplate; each++) {
        const path = random.chance(0.8) ? pathOfTemplate(random, template) : randomText(random, pathParts);
        const request: Request = { method: "GET", scheme: "http", authority: `t${index}`, path, headers: [] };
        const there = answerOf(await envoy.ask(0, request));
        expect([template, path, ...told(listened, request, semantics).answers]).toEqual([template, path, there]);
        if (there !== "404") fitting++;
      }
    }
    const share = fitting / (templates.length * pathsPerTemplate);
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.8);
  });
});

const pathsPerTemplate = 10;
const pathParts = ["/", "/", "a", "b", ".b", "=", "%", "*", "ab"] as const;

/** Shows what stood for the variables, where there are some. A template that nothing fits may not be used so: stars repeat stars. */
function randomUse(random: Random, template: string): JsonObject {
  const names = [...template.matchAll(/\{([a-z0-9_]+)[=}]/gi)].map(([, name = ""]) => `{${name}}`);
  if (names.length === 0 || /\*.*\*|\}\*/.test(template) || random.chance(0.2)) return {};
  return { route: { cluster: "one", ...rewriteByTemplate(`/${names.join("-")}`) } };
}

test("a refusal says why", () => {
  const present = semanticsOf("1.40.0");
  expect(() => templateMatch("/a/**/{b}", present)).toThrow(
    'the template "/a/**/{b}" goes on with a star after two of them',
  );
  expect(() => templateMatch(`/${"a".repeat(256)}`, present)).toThrow("is longer than 256");
  expect(() => filledTemplate("/{c}", variables)).toThrow('has a variable "c" that nothing stands for');
});
