import { describe, expect, test } from "vitest";
import { registryFindingViews, ruleFindingViews } from "../../src/api/views.ts";
import {
  type EventLine,
  findingLines,
  formatEventLine,
  ledgerLine,
  noRules,
  type RulesNow,
  ruleLines,
} from "../../src/app/dev/event-lines.ts";
import { colourStyle, plainStyle } from "../../src/cli/style.ts";
import { loadRuleSet } from "../../src/config/load.ts";
import { emptyRuleSet, type RuleSet } from "../../src/config/rule-set.ts";
import type { LedgerEvent } from "../../src/delivery/ledger.ts";
import { file, virtualService } from "../config/support.ts";
import { sidecar } from "../support/mesh.ts";

const show = ({ file = "?", line, column }: { file?: string; line?: number; column?: number }): string =>
  [file, line, column].filter((part) => part !== undefined).join(":");

const nineAm = new Date(2026, 10, 22, 9, 5, 7).getTime();
const printed = (lines: readonly EventLine[]): string =>
  lines.map((line) => formatEventLine(line, nineAm, plainStyle)).join("");

const reviews = (v1: number | string, v2: number, subset = "v2"): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
    - route:
        - destination: {host: reviews, subset: v1}
          weight: ${v1}
        - destination: {host: reviews, subset: ${subset}}
          weight: ${v2}
`;

/** One text for `reviews.yaml`, or several by file name. */
type Texts = string | Readonly<Record<string, string>>;

/** The rules after one text of `reviews.yaml` after the other, seen at each. */
function seen(...texts: readonly Texts[]): readonly RulesNow[] {
  let ruleSet: RuleSet = emptyRuleSet;
  return texts.map((text) => {
    const files = typeof text === "string" ? { "reviews.yaml": text } : text;
    ruleSet = loadRuleSet(
      ruleSet,
      Object.entries(files).map(([name, content]) => file(name, content)),
    );
    return { ruleSet, findings: ruleFindingViews(ruleSet) };
  });
}

/** What is printed when the last text follows the one before it. */
function step(...texts: readonly Texts[]): string {
  const [after = noRules, before = noRules] = seen(...texts).toReversed();
  return printed(ruleLines(before, after, show));
}

describe("what became of the rules", () => {
  test("a changed field, with its place and both values", () => {
    expect(step(reviews(90, 10), reviews(0, 100))).toBe(
      `09:05:07  rules     VirtualService shop/reviews changed
                    reviews.yaml:9:19  weight 90 → 0
                    reviews.yaml:11:19  weight 10 → 100
`,
    );
  });

  test("a field whose name in the text is another one: the nearest place", () => {
    expect(step(reviews(90, 10), reviews(90, 10, "v3"))).toBe(
      `09:05:07  rules     VirtualService shop/reviews changed
                    reviews.yaml:10:11  subset v2 → v3
`,
    );
  });

  test("a field that is there or not, and a list of another length", () => {
    const text = (http: string) =>
      `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec: {hosts: [web], http: [${http}]}
`;
    const plain = "{route: [{destination: {host: web}}]}";
    const named = "{name: all, route: [{destination: {host: web}}]}";
    expect(step(text(plain), text(named))).toBe(
      `09:05:07  rules     VirtualService default/web changed
                    reviews.yaml:4:36  name none → all
`,
    );
    expect(step(text(plain), text(`${named}, ${plain}`))).toBe(
      `09:05:07  rules     VirtualService default/web changed
                    reviews.yaml:4:28  http
`,
    );
  });

  test("many changes of one rule are one", () => {
    const text = (port: number) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http: [{route: [${[1, 2, 3, 4, 5].map((n) => `{destination: {host: web}, weight: ${port + n}}`)}]}]
`;
    expect(step(text(1), text(2))).toBe("09:05:07  rules     VirtualService default/web changed at reviews.yaml:1:1\n");
  });

  test("added and removed ones, several at once", () => {
    const a = virtualService("a");
    const b = virtualService("b");
    const c = virtualService("c");
    expect(step({ "a.yaml": a, "b.yaml": b }, { "b.yaml": `${b}---\n${c}` })).toBe(
      `09:05:07  rules     VirtualService default/c added at b.yaml:9:1
                    VirtualService default/a removed
`,
    );
  });

  test("nothing when nothing changed but lines", () => {
    expect(step(reviews(90, 10), `# a comment\n${reviews(90, 10)}`)).toBe("");
  });
});

describe("findings", () => {
  test("an error, with what holds instead", () => {
    expect(step(reviews(90, 10), reviews(-1, 10))).toBe(
      `09:05:07  finding   reviews.yaml:9:19  error  rule/invalid-value
                    Expected a whole number from 0 to 2147483647, found -1.
                    Use 0 or more.
                    Its last valid version stays in force.
`,
    );
  });

  test("one that was never valid is not in force", () => {
    const [first = noRules] = seen(reviews(-1, 10));
    expect(printed(findingLines(noRules, first, show))).toBe(
      `09:05:07  finding   reviews.yaml:9:19  error  rule/invalid-value
                    Expected a whole number from 0 to 2147483647, found -1.
                    Use 0 or more.
                    It is not in force.
`,
    );
  });

  test("broken YAML: nobody knows which rule it was", () => {
    expect(step(reviews(90, 10), 'metadata: {name: "reviews}\n')).toBe(
      `09:05:07  finding   reviews.yaml:1:18  error  text/invalid-yaml
                    The YAML is broken: a " is not closed.
                    Close the text with "
                    What was last read from there stays in force.
`,
    );
  });

  test("are told once, and the file is told to be well when the last one is gone", () => {
    const two = reviews(-1, 10).replace("hosts: [reviews]", "hosts: [reviews]\n  gatways: [a]");
    expect(step(two, reviews(-1, 10).replace("hosts: [reviews]", "hosts: [reviews]\n  gateways: [a]"))).toBe("");
    expect(step(reviews(90, 10), reviews(-1, 10), reviews(90, 10))).toBe(
      "09:05:07  fixed     reviews.yaml  no findings any more\n",
    );
  });

  test("a warning holds nothing back", () => {
    const dropped = virtualService("a").replace("- route", "- match: [{uri: {prefix: /}, statPrefix: x}]\n      route");
    expect(step({}, { "a.yaml": dropped })).toBe(
      `09:05:07  rules     VirtualService default/a added at a.yaml:1:1
09:05:07  finding   a.yaml:7:34  warning  rule/dropped-field
                    The field statPrefix is descriptive only and was dropped.
`,
    );
  });

  test("a registry's", () => {
    const problem = { message: "There is no field.", hint: "Remove it.", file: "catalog.yaml", line: 2, column: 3 };
    const after: RulesNow = { ...noRules, findings: registryFindingViews("file", [problem]) };
    expect(printed(ruleLines(noRules, after, show))).toBe(
      `09:05:07  finding   catalog.yaml:2:3  error  catalog/invalid
                    There is no field.
                    Remove it.
                    What was last read from there stays in force.
`,
    );
  });

  test("too many are cut short", () => {
    const bad = Array.from({ length: 10 }, (_, index) => `x${index}: 1\n`).join("");
    const lines = printed(ruleLines(noRules, seen(`${virtualService("a")}${bad}`)[0] ?? noRules, show));
    expect(lines.match(/ {2}finding {3}/g)).toHaveLength(9);
    expect(lines).toMatch(/ {2}finding {3}and 2 more; `fairway check` shows all\n$/);
  });
});

describe("what proxies do", () => {
  const node = sidecar("web-v1");
  const said = { atMs: 0, node, type: "RDS" } as const;
  const { ruleSet } = seen(reviews(90, 10))[0] ?? noRules;
  const weight = { rule: "VirtualService/shop/reviews", pointer: "/spec/http/0/route/0/weight" };

  test.each<[string, LedgerEvent, string]>([
    ["comes", { on: "connected", atMs: 0, node, peer: "127.0.0.1:1" }, "connected web-v1"],
    ["goes", { on: "disconnected", atMs: 0, node, streams: 0 }, "left      web-v1"],
    ["takes one", { on: "accepted", ...said, changed: ["9080"] }, "accepted  web-v1 took routes 9080"],
    [
      "takes many",
      { on: "accepted", ...said, type: "CDS", changed: ["a", "b", "c", "d", "e"] },
      "accepted  web-v1 took clusters a, b, c and 2 more",
    ],
  ])("%s", (_, event, line) => {
    const told = ledgerLine(event, [], ruleSet.locate, show);
    expect(told && printed([told])).toBe(`09:05:07  ${line}\n`);
  });

  test("what changes nothing is not worth a line", () => {
    expect(ledgerLine({ on: "accepted", ...said, changed: [] }, [], ruleSet.locate, show)).toBeUndefined();
  });

  test("a refusal: in the proxy's words, with the line of the rule", () => {
    const event: LedgerEvent = { on: "refused", ...said, reason: "Proto constraint\n  failed", suspects: ["9080"] };
    const line = ledgerLine(event, [weight], ruleSet.locate, show);
    expect(line && printed([line])).toBe(
      `09:05:07  refused   web-v1 refused routes 9080
                    Proto constraint failed
                    from VirtualService shop/reviews at reviews.yaml:9:19
`,
    );
  });
});

test("colours for the verb and the time only; what others wrote cannot change the terminal", () => {
  const line = formatEventLine({ verb: "refused", text: "web \u001b[31mred", more: ["a\u0007b"] }, nineAm, colourStyle);
  expect(line).toBe(`\u001b[2m09:05:07\u001b[22m  \u001b[31mrefused  \u001b[39m web ␛[31mred\n${" ".repeat(20)}a␇b\n`);
});
