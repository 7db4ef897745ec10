import { type ApiLimits, defaultApiLimits } from "../../src/api/limits.ts";
import { commonProblems } from "../../src/api/openapi.ts";
import { openApiRoute } from "../../src/api/openapi-route.ts";
import { type ProblemCode, problemCodes } from "../../src/api/problem.ts";
import type { Route } from "../../src/api/route.ts";
import type { AnswerDoc, ParameterDoc } from "../../src/api/route-doc.ts";
import { templatePath } from "../../src/api/route-path.ts";
import { routesWith } from "../../src/api/routes.ts";
import { kinds, manyOf } from "../../src/api/rule-docs.ts";
import { namedShapes } from "../../src/api/shapes/named.ts";
import { watchEventView } from "../../src/api/shapes/rules.ts";
import { problemView } from "../../src/api/shapes/server.ts";
import { explainFormats } from "../../src/app/explain-port.ts";
import { compareText } from "../../src/base/compare-text.ts";
import { schemaOf } from "../../src/base/decode.ts";
import type { JsonSchema } from "../../src/base/json-schema.ts";
import type { RuleKind } from "../../src/config/rule.ts";
import { pluralOf } from "../../src/config/rule-kinds.ts";
import { ruleSchema } from "../../src/config/schemas.ts";
import { explanationParts } from "../../src/explain/shapes.ts";
import { formats } from "../../src/registry/rest/format.ts";
import { denialOf, roles, type Verb } from "../../src/security/roles.ts";
import { createSchemaTexts, type SchemaTexts } from "./schema-text.ts";

export const restMarker =
  "<!-- From here on made by `npm run docs` from the table of routes in src; do not edit. -->\n";

/** What people wrote: all before the marker. */
function frontOf(page: string): string {
  const end = page.indexOf(restMarker);
  if (end < 0) throw new Error("docs/rest.md has lost the line behind which it is made from the code");
  return page.slice(0, end);
}

/** Of an explanation too: written on one line it would fill a page. */
const shapes: typeof namedShapes = { ...namedShapes, ...explanationParts };

/** `docs/rest.md`: what is written by hand, and behind it the reference, from the table of routes. */
export function restPage(page: string): string {
  const texts = createSchemaTexts(shapes);
  const rows = rowsOf([
    ...routesWith({ registrations: formats, explain: explainFormats }),
    openApiRoute([], { name: "", version: "", node: "" }),
  ]);
  const groups = Map.groupBy(rows, sectionOf);
  const parts = sections.flatMap((title) => [`### ${title}\n`, ...(groups.get(title) ?? []).map(routeText(texts))]);
  return [
    frontOf(page) + restMarker,
    limitsText(),
    "## Roles\n",
    `${rolesText()}\n`,
    "## Routes\n",
    `${kindsText()}\n`,
    ...sections.flatMap((title) => [`**${title}**\n`, `${overview(groups.get(title) ?? [])}\n`]),
    `${commonText()}\n`,
    ...parts,
    "## Shapes\n",
    "`?`: may be absent; nothing is null. `[name]`: any name. `time`: RFC 3339 in UTC. The schemas in `/openapi.json` also have the bounds.\n",
    ...shapeTexts(texts),
    "## Problems\n",
    "[Findings and problems](errors.md#problems-of-the-api) explains each.\n",
    `${problemsText()}\n`,
  ]
    .join("\n")
    .replace(/\n+$/, "\n");
}

/* One row for what all kinds have. */

interface Row extends Pick<Route, "method" | "access" | "doc"> {
  /** As in the document: `/api/v1/{kind}`. */
  readonly path: string;
  readonly ofKind: boolean;
}

/** The routes of the kinds are shown once, of the first kind; throws when another kind has others. */
function rowsOf(routes: readonly Route[]): readonly Row[] {
  const rows = routes.map((route): Row & { readonly kind: string | undefined } => {
    const kind = kinds.find((one) => one === route.kind || route.path === `/schemas/${pluralOf(one)}.json`);
    return kind === undefined
      ? { ...route, kind, path: templatePath(route.path), ofKind: false }
      : generalised(route, kind);
  });
  const perKind = kinds.map((kind) => JSON.stringify(rows.filter((row) => row.kind === kind).map(comparable)));
  if (new Set(perKind).size !== 1) throw new Error("the kinds have different routes");
  return rows.filter(({ kind }) => kind === undefined || kind === kinds[0]);
}

const generalised = (route: Route, kind: RuleKind) => ({
  ...route,
  kind,
  ofKind: true,
  path: templatePath(route.path).replace(pluralOf(kind), "{kind}"),
  doc: {
    ...route.doc,
    operation: route.doc.operation.replace(manyOf(kind), "{Kinds}").replace(kind, "{Kind}"),
    summary: route.doc.summary.replace(kind, "rule"),
  },
});

const comparable = ({ method, path, access, doc: { summary, operation, parameters, answers, problems } }: Row) => ({
  ...{ method, path, access, summary, operation, parameters, problems },
  answers: Object.keys(answers),
});

const sections = ["Rules", "The mesh", "Registration", "Tokens", "Open to everybody"] as const;

function sectionOf({ path, access, ofKind }: Row): (typeof sections)[number] {
  if (access === "open") return "Open to everybody";
  if (ofKind || path === "/api/v1/changesets") return "Rules";
  if (/^\/api\/v1\/(tokens|whoami)/.test(path)) return "Tokens";
  if (access === "register" || /\/(registrations|instances)/.test(path)) return "Registration";
  return "The mesh";
}

/* Text */

const table = (head: string, rows: readonly string[]): string => {
  const columns = head.split("|").slice(1, -1);
  return [head, `|${columns.map(() => " --- ").join("|")}|`, ...rows].join("\n");
};

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

function overview(rows: readonly Row[]): string {
  return table(
    "| route | | needs |",
    rows.map(
      (row) =>
        `| [\`${row.method} ${row.path}\`](#${anchorOf(titleOf(row))}) | ${cell(row.doc.summary)} | ${needs(row)} |`,
    ),
  );
}

const titleOf = ({ method, path }: Row): string => `${method} ${path}`;
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9 _-]/g, "")
    .replaceAll(" ", "-");
const needs = ({ access }: Row): string => (access === "open" ? "nothing" : `\`${access}\``);

const routeText =
  (texts: SchemaTexts) =>
  (row: Row): string => {
    const { summary, description, operation, parameters, body, answers, problems } = row.doc;
    const own = problems.filter(isOwn).toSorted((a, b) => problemCodes[a].status - problemCodes[b].status);
    const parts = [
      `#### ${titleOf(row)}`,
      [summary, description].filter((text) => text !== undefined).join(" "),
      `Needs ${needs(row)}; operation \`${operation}\`.`,
      parameters.length === 0 ? "" : table("| parameter | in | | value |", parameters.map(parameterRow)),
      body === undefined ? "" : bodyText(body, texts),
      table(
        "| answer | | body | headers |",
        Object.entries(answers).map(([status, answer]) => answerRow(status, answer, texts)),
      ),
      own.length === 0 ? "" : `Problems: ${own.map((code) => `${problemCodes[code].status} \`${code}\``).join(", ")}.`,
    ];
    return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
  };

const common: ReadonlySet<ProblemCode> = new Set([...commonProblems.everywhere, "api/invalid-query"]);
const isOwn = (code: ProblemCode): boolean => !common.has(code);

function parameterRow({ in: where, name, summary, schema, required }: ParameterDoc): string {
  const must = required && where !== "path" ? " Required." : "";
  return `| \`${name}\` | ${where} | ${cell(summary)}${must} | ${cell(valueText(schema))} |`;
}

function valueText({ type, enum: values, minimum, maximum, default: value }: JsonSchema): string {
  const isBounded = maximum !== undefined && maximum < 1e9;
  return [
    values === undefined
      ? type === "boolean"
        ? "`true` or `false`"
        : ""
      : values.map((one) => `\`${one}\``).join(", "),
    isBounded ? `${minimum} to ${maximum}` : "",
    value === undefined ? "" : `default \`${value}\``,
  ]
    .filter((text) => text !== "")
    .join("; ");
}

function bodyText({ required, types }: NonNullable<Row["doc"]["body"]>, texts: SchemaTexts): string {
  const schemas = Object.entries(types).map(([type, schema]) => `\`${type}\`${shown(schema, texts)}`);
  return `Body${required ? "" : " (may be absent)"}: ${schemas.join("; ")}.`;
}

const ruleSchemas = new Set<JsonSchema>(kinds.map(ruleSchema));

/** A text is a text; anything else says what it is made of. */
function shown(schema: JsonSchema, texts: SchemaTexts): string {
  if (ruleSchemas.has(schema)) return " (a rule: `/schemas/{kind}.json`)";
  const name = texts.nameOf(schema);
  const brief = texts.brief(schema);
  if (name !== undefined) return ` [${name}](#${name.toLowerCase()})`;
  return ["text", "object", "{  }"].includes(brief) ? "" : ` \`${brief}\``;
}

function answerRow(status: string, { summary, types = {}, headers = {} }: AnswerDoc, texts: SchemaTexts): string {
  const bodies = Object.entries(types).map(([type, schema]) => `\`${type}\`${shown(schema, texts)}`);
  const names = Object.keys(headers).map((name) => `\`${name}\``);
  return `| ${status} | ${cell(summary)} | ${cell(bodies.join(", "))} | ${names.join(", ")} |`;
}

function shapeTexts(texts: SchemaTexts): readonly string[] {
  const done = new Map<string, string>();
  for (const decoder of [problemView, watchEventView]) texts.brief(schemaOf(decoder));
  // A shape may be the first to name another one.
  for (const name of texts.said) {
    const decoder = shapes[name];
    if (decoder !== undefined) done.set(name, texts.full(schemaOf(decoder)));
  }
  return [...done]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, text]) => `### ${name}\n\n\`\`\`ts\n${text}\n\`\`\`\n`);
}

const commonCodes = (codes: readonly ProblemCode[]): string =>
  codes.map((code) => `${problemCodes[code].status} \`${code}\``).join(", ");

const commonText = (): string =>
  `Beside the problems of each route: every route may answer ${commonCodes(commonProblems.everywhere)}; those that need a token also ${commonCodes(
    commonProblems.withToken,
  )} and, for a query with what the route does not know, ${commonCodes(["api/invalid-query"])}; those that take a body also ${commonCodes(commonProblems.withBody)}.`;

function kindsText(): string {
  const words = kinds.map((kind) => `\`${pluralOf(kind)}\` (${kind})`);
  return `\`{kind}\` is one of ${words.join(", ")}; all kinds have the same routes, shown once. \`{Kind}\` in the name of an operation is the kind's own name. Every \`GET\` may be a \`HEAD\`.`;
}

const verbMeanings: Readonly<Record<Verb, string>> = {
  read: "ask for everything but tokens",
  write: "change rules",
  register: "register services and instances",
  administer: "make, list and revoke tokens",
};

function rolesText(): string {
  const rows = (Object.entries(verbMeanings) as [Verb, string][]).map(([verb, meaning]) => {
    const able = roles.filter((role) => denialOf({ name: "", role }, { verb }) === undefined);
    return `| \`${verb}\` | ${meaning} | ${able.map((role) => `\`${role}\``).join(", ")} |`;
  });
  return table("| | | tokens with the role |", rows);
}

const bytes = (value: number): string => `${value / 1024 / 1024} MiB`;
const time = (value: number): string => `${value / 1000} s`;
const number = (value: number): string => value.toLocaleString("en-US");

const limitRows: Readonly<Record<keyof ApiLimits, readonly [string, (value: number) => string, string]>> = {
  ruleBytes: ["A body with one rule, one instance or one token", bytes, "413"],
  changeSetBytes: ["A change set, or many instances together", bytes, "413"],
  requestsPerSecond: ["Requests a second of one token, in the long run (`--rate-limit`)", number, "429"],
  requestBurst: ["Requests of one token at once, after a quiet time", number, "429"],
  heartbeatsPerSecond: ["Heartbeats a second of one instance, which do not count for the token", number, "429"],
  heartbeatBurst: ["Heartbeats of one instance at once, after a quiet time", number, "429"],
  headersMs: ["For the headers of a request to arrive", time, "408"],
  requestMs: ["For the whole request to arrive", time, "408"],
  connections: ["Connections", number, "closed"],
  watchers: ["Watches", number, "429"],
  watchersPerToken: ["Watches of one token", number, "429"],
  heartbeatMs: ["Between two signs of life on a watch", time, ""],
  bookmarkMs: ["Until a quiet watch is told where it stands", time, ""],
  stalledMs: ["Until a watcher that takes nothing is cut off", time, "closed"],
};

function limitsText(): string {
  const rows = (Object.keys(limitRows) as (keyof ApiLimits)[]).map((name) => {
    const [what, format, beyond] = limitRows[name];
    return `| ${what} | ${format(defaultApiLimits[name])} | ${beyond} |`;
  });
  return `## Limits\n\n${table("| | | beyond |", rows)}\n`;
}

const problemsText = (): string =>
  table(
    "| status | code | |",
    Object.entries(problemCodes).map(
      ([code, { status, title }]) => `| ${status} | [\`${code}\`](errors.md#${anchorOf(code)}) | ${title} |`,
    ),
  );
