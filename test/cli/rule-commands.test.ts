import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type FakeApi, type Handler, page, problem, startApi } from "./api-server.ts";
import { at, rule, status } from "./rules.ts";
import { fairway, typed } from "./terminal.ts";

const reviews = `# The canary.
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
    - route:
        - destination: { host: reviews }
          weight: -1
`;

const subsets = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: shop }
spec: { host: reviews }
`;

function folder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), "fairway-cli-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

const changed = (results: readonly (readonly [string, string])[], more: object = {}) => ({
  json: {
    revision: 42,
    dryRun: false,
    results: results.map(([key, action]) => {
      const [kind, namespace, name] = key.split("/");
      return { kind, namespace, name, action, generation: 1, findings: [] };
    }),
    ...more,
  },
});

const bodyOf = (api: FakeApi, index = 0) => JSON.parse(api.seen[index]?.body ?? "");

describe("apply", () => {
  test("sends all files as one change and says what became of each document", async () => {
    const dir = folder({ "a.yaml": reviews, "b.yaml": subsets });
    const api = await startApi({
      "POST /api/v1/changesets": () =>
        changed([
          ["VirtualService/default/reviews", "created"],
          ["DestinationRule/shop/reviews", "unchanged"],
        ]),
    });
    const { exit, out, err } = await fairway(`apply -f ${dir} --reason canary ${api.flag}`);
    expect([exit, err]).toEqual([0, ""]);
    expect(out).toBe(
      [
        "virtualservice/default/reviews created",
        "destinationrule/shop/reviews unchanged",
        "",
        "2 rules: 1 created, 1 unchanged; revision 42",
        "",
      ].join("\n"),
    );
    expect(bodyOf(api)).toEqual({
      documents: [
        { text: reviews, file: join(dir, "a.yaml"), line: 1 },
        { text: subsets, file: join(dir, "b.yaml"), line: 1 },
      ],
    });
    expect(api.seen[0]?.query).toEqual({});
    expect(api.seen[0]?.headers).toMatchObject({
      "x-change-reason": "canary",
      "idempotency-key": expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test("names the namespace where a document has none, and keeps all else, lines of problems included", async () => {
    const api = await startApi({
      "POST /api/v1/changesets": () =>
        problem(422, "The change has an error; nothing was stored.", {
          errors: [
            {
              code: "rule/invalid-value",
              severity: "error",
              pointer: "/spec/http/0/route/0/weight",
              message: "Expected a whole number from 0 to 4294967295, found -1.",
              hint: "Use 0 or more.",
              rule: "VirtualService/shop/reviews",
              document: 0,
              source: { file: "stdin", line: 12, column: 19 },
            },
          ],
        }),
    });
    const answer = await fairway(`apply -f - -n shop ${api.flag}`, { input: typed(reviews) });
    expect([answer.exit, answer.out]).toEqual([1, ""]);
    await expect(answer.err).toMatchFileSnapshot("expected/apply-refused.txt");
    const [document] = bodyOf(api).documents;
    expect(document.file).toBe("stdin");
    expect(document.text).toBe(reviews.replace("  name: reviews", '  namespace: "shop"\n  name: reviews'));
  });

  test("what leads nowhere, and the flag that lets it be taken", async () => {
    const api = await startApi({
      "POST /api/v1/changesets": () =>
        problem(422, "Something is missing.", { code: "api/dangling", hint: "With allowDangling=true it is taken." }),
    });
    expect(await fairway(`apply -f - ${api.flag}`, { input: typed(subsets) })).toEqual({
      exit: 1,
      out: "",
      err: "fairway: Something is missing.\n  With --allow-dangling it is taken all the same.\n",
    });
  });

  test("a dry run, and what goes with it", async () => {
    const api = await startApi({
      "POST /api/v1/changesets": () => changed([["DestinationRule/shop/reviews", "configured"]], { dryRun: true }),
    });
    const { out } = await fairway(`apply -f - --dry-run --allow-dangling --base-revision 41 ${api.flag}`, {
      input: typed(subsets),
    });
    expect(out).toMatch(/\n1 rule: 1 configured; dry run, nothing was stored\n$/);
    expect(api.seen[0]?.query).toEqual({ dryRun: "true", allowDangling: "true", baseRevision: "41" });
  });

  test("--prune deletes, in the same change, what carries the label and is in no file", async () => {
    const kept = rule("DestinationRule/shop/reviews", {});
    const gone = rule("DestinationRule/shop/ratings", {});
    const elsewhere = rule("DestinationRule/shop/details", {}, { metadata: { managedBy: { kind: "directory" } } });
    const api = await startApi({
      "GET /api/v1/namespaces/shop/destinationrules": () => page([kept, gone, elsewhere], { revision: 41 }),
      "POST /api/v1/changesets": () =>
        changed([
          ["DestinationRule/shop/reviews", "unchanged"],
          ["DestinationRule/shop/ratings", "deleted"],
        ]),
    });
    const { exit, out } = await fairway(`apply -f - --prune -l team=shop ${api.flag}`, { input: typed(subsets) });
    expect([exit, out.includes("destinationrule/shop/ratings deleted\n")]).toEqual([0, true]);
    expect(api.seen[0]?.query).toMatchObject({ labelSelector: "team=shop" });
    expect(bodyOf(api, 1).deletes).toEqual([{ kind: "DestinationRule", namespace: "shop", name: "ratings" }]);
    expect(api.seen[1]?.query).toEqual({ baseRevision: "41" });
  });

  test.each([
    ["apply -f nowhere.yaml", /^fairway: there is no file or directory nowhere.yaml\n/],
    ["apply -f -", /^fairway: nothing came in on standard input\n/],
    ["apply -f - --prune", /^fairway: --prune needs --selector\n/],
    ["apply -f - -l a=b", /^fairway: --selector needs --prune\n/],
    ["apply -f - --base-revision x", /^fairway: --base-revision: expected a number, found "x"\n/],
  ])("%s is wrong use", async (line, message) => {
    const { exit, err } = await fairway(line, { input: typed("") });
    expect(exit).toBe(2);
    expect(err).toMatch(message);
  });
});

describe("delete", () => {
  test("by kind and names, all or nothing", async () => {
    const api = await startApi({
      "POST /api/v1/changesets": () =>
        changed([
          ["VirtualService/shop/a", "deleted"],
          ["VirtualService/shop/b", "deleted"],
        ]),
    });
    const { exit, out } = await fairway(`delete VS a b -n shop ${api.flag}`);
    expect([exit, out]).toEqual([
      0,
      "virtualservice/shop/a deleted\nvirtualservice/shop/b deleted\n\n2 rules: 2 deleted; revision 42\n",
    ]);
    expect(api.seen.slice(0, 2).map(({ query }) => query)).toEqual([{ dryRun: "true" }, {}]);
    expect(bodyOf(api, 1)).toEqual({
      deletes: ["a", "b"].map((name) => ({ kind: "VirtualService", namespace: "shop", name })),
    });
  });

  test("what is not there is told, and nothing is deleted", async () => {
    const api = await startApi({
      "POST /api/v1/changesets": () => changed([["Gateway/default/gw", "unchanged"]]),
    });
    expect(await fairway(`delete gateway gw ${api.flag}`)).toEqual({
      exit: 1,
      out: "",
      err: "fairway: 1 rule not found: gateway/default/gw\n  Nothing was deleted. --ignore-not-found passes over what is not there.\n",
    });
    expect(api.seen).toHaveLength(1);
    expect(await fairway(`delete gateway gw --ignore-not-found ${api.flag}`)).toEqual({
      exit: 0,
      out: "gateway/default/gw not found, ignored\n\n0 rules; revision 42\n",
      err: "",
    });
  });

  test("says where a file still has what was deleted", async () => {
    const managedBy = { kind: "directory", file: "rules/a.yaml", line: 3 };
    const api = await startApi({
      "POST /api/v1/changesets": () => changed([["Gateway/default/gw", "deleted"]]),
      "GET /api/v1/namespaces/default/gateways/gw": () => ({
        json: rule("Gateway/default/gw", {}, { metadata: { managedBy } }),
      }),
    });
    expect(await fairway(`delete gateway gw ${api.flag}`)).toEqual({
      exit: 0,
      out: "gateway/default/gw deleted\n\n1 rule: 1 deleted; revision 42\n",
      err: "fairway: gateway/default/gw is still there: the file rules/a.yaml still has it\n",
    });
  });

  test("a server that wants to know the version is told with --base-revision", async () => {
    const api = await startApi({
      "POST /api/v1/changesets": () =>
        problem(428, "Say which.", { code: "api/precondition-required", hint: "Say with baseRevision." }),
    });
    const { exit, err } = await fairway(`delete gateway gw ${api.flag}`);
    expect([exit, err.includes("--base-revision"), err.includes("baseRevision")]).toEqual([2, true, false]);
  });

  test("--base-revision is asked for and with the deletion", async () => {
    const api = await startApi({ "POST /api/v1/changesets": () => changed([["Gateway/default/gw", "deleted"]]) });
    expect((await fairway(`delete gateway gw --base-revision 41 ${api.flag}`)).exit).toBe(0);
    expect(api.seen.slice(0, 2).map(({ query }) => query)).toEqual([
      { dryRun: "true", baseRevision: "41" },
      { baseRevision: "41" },
    ]);
  });

  test.each(["delete", "delete vs", "delete vs a -f -", "delete vs a --base-revision now"])(
    "%s is wrong use",
    async (line) => {
      expect((await fairway(line)).exit).toBe(2);
    },
  );
});

const pendingRule = rule(
  "VirtualService/shop/ratings",
  { hosts: ["ratings", "ratings.example"], gateways: ["gw"] },
  { status: status({ delivery: { targeted: 3, acked: 2, pending: 1, refused: 0 } }) },
);
const refusedRule = rule(
  "VirtualService/shop/reviews",
  { hosts: ["reviews"] },
  {
    metadata: { managedBy: { kind: "directory", file: "rules/reviews.yaml", line: 3 } },
    status: status({
      verdict: "warned",
      conditions: [
        { type: "Accepted", status: "True", reason: "Warned", message: "It has no errors, but a warning." },
        { type: "InForce", status: "False", reason: "Refused", message: "1 of 3 proxies refused it: gw.shop." },
      ],
      delivery: { targeted: 3, acked: 2, pending: 0, refused: 1 },
      findings: [
        {
          code: "rule/unknown-host",
          severity: "warning",
          pointer: "/spec/http/0/route/0/destination/host",
          file: "rules/reviews.yaml",
          line: 9,
          column: 32,
          message: "No service has the host reviws.",
          hint: "Did you mean reviews?",
        },
      ],
      refusals: [
        {
          proxy: "router~4",
          type: "RDS",
          resource: "8080",
          reason: "bad regex",
          at: at(61),
          pointer: "/spec/http/0/match/0",
        },
      ],
    }),
  },
);
const outOfForce = rule(
  "VirtualService/shop/zed",
  { hosts: ["a", "b", "c", "d"] },
  { status: status({ inForce: "none" }) },
);
const list: Handler = () => page([pendingRule, refusedRule, outOfForce], { revision: 42 });

describe("get", () => {
  test("one kind of one namespace", async () => {
    const { flag } = await startApi({ "GET /api/v1/namespaces/shop/virtualservices": list });
    const { exit, out, err } = await fairway(`get vs -n shop ${flag}`);
    expect([exit, err]).toEqual([0, ""]);
    await expect(out).toMatchFileSnapshot("expected/get.txt");
  });

  test("everything everywhere, wide", async () => {
    const { flag } = await startApi({
      "GET /api/v1/virtualservices": list,
      "GET /api/v1/destinationrules": () =>
        page([rule("DestinationRule/shop/reviews", { host: "reviews", subsets: [{ name: "v1" }] })], { revision: 42 }),
      "GET /api/v1/gateways": () =>
        page([
          rule("Gateway/shop/gw", {
            selector: { istio: "gw" },
            servers: [{ port: { number: 80, protocol: "HTTP" }, hosts: ["*"] }],
          }),
        ]),
      "GET /api/v1/serviceentries": () => page([rule("ServiceEntry/bank/ledger", { hosts: ["ledger.example"] })]),
      "GET /api/v1/sidecars": () => page([rule("Sidecar/shop/default", {})]),
    });
    const { exit, out } = await fairway(`get all -A -o wide ${flag}`);
    expect(exit).toBe(0);
    await expect(out).toMatchFileSnapshot("expected/get-all-wide.txt");
  });

  test("one rule with all there is to say", async () => {
    const { flag } = await startApi({
      "GET /api/v1/namespaces/shop/virtualservices/reviews": () => ({ json: refusedRule }),
    });
    const { exit, out } = await fairway(`get virtualservice reviews -n shop -o wide ${flag}`);
    expect(exit).toBe(0);
    await expect(out).toMatchFileSnapshot("expected/get-one.txt");
  });

  test("one rule at a narrow terminal: what is said of it goes on below", async () => {
    const message = "2 of 3 proxies have accepted it, but a part leads nowhere. No service has the host nobody.";
    const conditions = [{ type: "InForce", status: "False", reason: "PartlyInForce", message } as const];
    const { flag } = await startApi({
      "GET /api/v1/namespaces/shop/virtualservices/reviews": () => ({
        json: rule("VirtualService/shop/reviews", {}, { status: status({ conditions }) }),
      }),
    });
    const { out } = await fairway(`get vs reviews -n shop -o wide ${flag}`, {
      terminal: { columns: 80 },
      env: { NO_COLOR: "1" },
    });
    expect(out).toContain(`
CONDITION  STATUS  REASON         MESSAGE
InForce    False   PartlyInForce  2 of 3 proxies have accepted it, but a part
                                  leads nowhere. No service has the host nobody.
`);
  });

  test("as it was written", async () => {
    const { flag, seen } = await startApi({
      "GET /api/v1/namespaces/shop/virtualservices/reviews": () => ({ text: reviews }),
      "GET /api/v1/namespaces/shop/virtualservices": ({ query }) =>
        query["continue"] === undefined ? { text: "a: 1\n", headers: { "x-continue": "b" } } : { text: "b: 2\n" },
    });
    expect((await fairway(`get vs reviews -n shop -o yaml ${flag}`)).out).toBe(reviews);
    expect((await fairway(`get vs -n shop -o yaml ${flag}`)).out).toBe("a: 1\n---\nb: 2\n");
    expect(seen.map(({ headers }) => headers.accept)).toEqual(Array(3).fill("application/yaml"));
  });

  test("as JSON, and none at all", async () => {
    const { flag } = await startApi({
      "GET /api/v1/namespaces/default/gateways": () => page([]),
      "GET /api/v1/namespaces/shop/virtualservices": list,
    });
    const { out } = await fairway(`get virtualservices -n shop -o json ${flag}`);
    expect(JSON.parse(out)).toEqual({ items: [pendingRule, refusedRule, outOfForce] });
    expect((await fairway(`get gw ${flag}`)).out).toBe(
      "There are no gateways in the namespace default. -A looks in all.\n",
    );
  });

  test("one that is not there", async () => {
    const { flag } = await startApi({});
    expect((await fairway(`get vs reviews -n shop ${flag}`)).exit).toBe(1);
  });

  test.each([
    ["get virtualservise", '"virtualservise" is no kind of rule\n  Did you mean virtualservice?'],
    ["get all a", "a name needs its kind"],
    ["get vs a -A", "a name needs one namespace, not all"],
    ["get vs a -w", "a list can be watched, not a single name"],
    ["get all -w", "one kind at a time can be watched"],
  ])("%s is wrong use", async (line, message) => {
    const { exit, err } = await fairway(line);
    expect([exit, err.includes(message)], err).toEqual([2, true]);
  });
});

describe("diff", () => {
  const server = `${subsets}  # kept by hand\n`;
  const routes: Readonly<Record<string, Handler>> = {
    "GET /api/v1/namespaces/shop/destinationrules/reviews": () => ({ text: server }),
    "GET /api/v1/namespaces/shop/destinationrules/ratings": () => ({ text: server.replace("reviews", "ratings") }),
    "GET /api/v1/namespaces/shop/virtualservices": () => page([]),
    "GET /api/v1/namespaces/shop/destinationrules": () =>
      page([rule("DestinationRule/shop/ratings", {})], { revision: 1 }),
  };

  test("what is the same is silent", async () => {
    const { flag } = await startApi(routes);
    expect(await fairway(`diff -f - ${flag}`, { input: typed(`---\n${server}\n\n`) })).toEqual({
      exit: 0,
      out: "",
      err: "",
    });
  });

  test("what differs, is new, or would be deleted", async () => {
    const { flag } = await startApi(routes);
    const ours = `${subsets.replace("host: reviews", "host: reviews.shop")}---\n${reviews.replace("name: reviews", "name: new\n  namespace: shop")}`;
    const { exit, out, err } = await fairway(`diff -f - --prune -l a=b ${flag}`, { input: typed(ours) });
    expect([exit, err]).toEqual([1, ""]);
    await expect(out).toMatchFileSnapshot("expected/diff.txt");
  });
});
