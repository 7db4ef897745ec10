import { describe, expect, test } from "vitest";
import { parseDocuments } from "../../src/base/yaml-document.ts";
import type { PreparedChange, ProposedChange, ProposedText } from "../../src/config/change.ts";
import { type ChangeContext, prepareChange, readDocumentsOf } from "../../src/config/prepare-change.ts";
import { type RuleKey, ruleKey } from "../../src/config/rule.ts";
import { createCatalog } from "../../src/model/catalog.ts";
import { parseHostname } from "../../src/model/hostname.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { serviceKey } from "../../src/model/service.ts";
import { rulesOf } from "./support.ts";

function service(name: string) {
  const hostname = parseHostname(`${name}.shop.svc.cluster.local`);
  if (hostname === undefined) throw new Error("no host name");
  return {
    service: {
      key: serviceKey("shop", hostname),
      hostname,
      namespace: "shop",
      ports: [],
      addresses: [],
      resolution: "instances" as const,
      external: false,
      createdAt: 0,
      origin: { kind: "registry" as const, registry: "file" },
    },
    instances: [],
  };
}

const catalog = createCatalog([service("reviews"), service("ratings")]);

const document = (kind: string, name: string, spec: string, namespace = ", namespace: shop") =>
  `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}${namespace}}\nspec: ${spec}\n`;
const route = (name: string, host = "reviews", more = "") =>
  document("VirtualService", name, `{hosts: [${name}], http: [{route: [{destination: {host: ${host}${more}}}]}]}`);
const subsets = (...names: readonly string[]) =>
  document("DestinationRule", "reviews", `{host: reviews, subsets: [${names.map((name) => `{name: ${name}}`)}]}`);

const put = (text: string, more: Partial<ProposedText> = {}): ProposedText => ({
  text,
  format: "yaml",
  expect: { kind: "any" },
  ...more,
});
const remove = (kind: "VirtualService" | "DestinationRule" | "ServiceEntry" | "Gateway", name: string) => ({
  key: ruleKey(kind, "shop", name),
  expect: { kind: "any" } as const,
});

function prepare(
  change: Partial<ProposedChange>,
  { rules = "", ...context }: Partial<ChangeContext> & { readonly rules?: string } = {},
): PreparedChange {
  const ruleSet = rulesOf(rules);
  expect(ruleSet.documents.map(({ verdict }) => verdict)).not.toContain("refused");
  const proposed = { puts: [], deletes: [], by: "ann", allowDangling: false, ...change };
  return prepareChange(
    { proposed, documents: [...readDocumentsOf(proposed)] },
    { ruleSet, ownerOf: () => undefined, isOvershadowed: () => false, catalog, mesh: defaultMeshSettings, ...context },
  );
}

/** `index rule file:line:column severity code pointer message hint` of each finding. */
const told = ({ findings }: PreparedChange): readonly string[] =>
  findings.flatMap(({ index, rule, findings }) =>
    findings.map(({ file, line, column, severity, code, pointer, message, hint }) =>
      [index, rule, [file ?? "", line, column].join(":"), severity, code, pointer, message, hint]
        .filter((part) => part !== "" && part !== undefined)
        .join(" "),
    ),
  );

const refusal = (prepared: PreparedChange) => (prepared.ok ? "none" : prepared.refusal);
const puts = (prepared: PreparedChange) => (prepared.ok ? prepared.change.puts : []);

describe("documents are stored as they are written", () => {
  test("the only one to the last byte", () => {
    const text = `# about\n---\n\n${route("a")}# end`;
    expect(puts(prepare({ puts: [put(text)] }))).toEqual([
      {
        kind: "VirtualService",
        namespace: "shop",
        name: "a",
        labels: {},
        format: "yaml",
        text,
        json: '{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"a","namespace":"shop"},"spec":{"hosts":["a"],"http":[{"route":[{"destination":{"host":"reviews"}}]}]}}',
        expect: { kind: "any" },
      },
    ]);
  });

  test("of several each its own part, with the comments before it and its place", () => {
    const text = `# head\n${route("a")}---\n# about b\n${route("b")}# after b\n--- # c\n${route("c")}---\n# end\n`;
    const source = { file: "rules.yaml", line: 10 };
    expect(
      puts(prepare({ puts: [put(text, { source }), put(subsets("v1"))] })).map(({ text, source }) => [text, source]),
    ).toEqual([
      [`# head\n${route("a")}`, { file: "rules.yaml", line: 10 }],
      [`# about b\n${route("b")}# after b\n`, { file: "rules.yaml", line: 16 }],
      [`--- # c\n${route("c")}---\n# end\n`, { file: "rules.yaml", line: 22 }],
      [subsets("v1"), undefined],
    ]);
  });

  test("what the server said of a rule is left out", () => {
    const author = {
      apiVersion: "networking.istio.io/v1",
      kind: "DestinationRule",
      metadata: { name: "edge", namespace: "shop", labels: { team: "a" }, annotations: { note: "x" } },
      spec: { host: "reviews" },
    };
    const servers = {
      createdAt: "2026-11-01T12:00:00Z",
      createdBy: "ann",
      generation: 3,
      managedBy: { kind: "directory" },
      managedFields: [{}],
      resourceVersion: "12",
      revision: 12,
      selfLink: "/x",
      uid: "u",
      updatedAt: "2026-11-01T12:00:00Z",
      updatedBy: "ann",
    };
    const given = JSON.stringify({
      ...author,
      metadata: { ...author.metadata, ...servers },
      status: { verdict: "valid" },
    });
    const [asJson, asYaml] = puts(
      prepare({ puts: [put(given, { format: "json" }), put(given.replace("edge", "other"))] }),
    );
    expect(asJson).toMatchObject({
      format: "json",
      labels: { team: "a" },
      text: `${JSON.stringify(author, null, 2)}\n`,
      json: JSON.stringify(author),
    });
    expect(asYaml).toMatchObject({
      text: JSON.stringify(author).replace("edge", "other"),
      json: JSON.stringify(author).replace("edge", "other"),
    });
  });

  test("what the server said goes from the text too, and its author's comments stay", () => {
    const own = (...more: readonly string[]) => [
      "# mine",
      "apiVersion: networking.istio.io/v1",
      "kind: DestinationRule",
      "metadata:",
      "  name: edge # the edge",
      ...more,
      "  namespace: shop",
      "spec: {host: ratings} # the host",
    ];
    const text = [...own("  revision: 12"), "status:", "  verdict: valid", ""].join("\n");
    const [yaml] = puts(prepare({ puts: [put(text)] }));
    expect(yaml?.text).toBe([...own(), ""].join("\n"));
  });

  test("the namespace of the address is written in", () => {
    const mustBe = { namespace: "shop" };
    const text = `# mine\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata:\n  name: edge # the edge\nspec: {host: ratings}\n`;
    const [yaml] = puts(prepare({ puts: [put(text, { mustBe })] }));
    expect(yaml).toMatchObject({ namespace: "shop", text: text.replace("edge\n", "edge\n  namespace: shop\n") });
    const [json] = puts(
      prepare({ puts: [put(yaml?.json.replace(',"namespace":"shop"', "") ?? "", { format: "json", mustBe })] }),
    );
    expect(json?.json).toBe(yaml?.json);
    expect(parseDocuments(json?.text ?? "")[0]?.value).toEqual(JSON.parse(yaml?.json ?? ""));
  });

  test("what else the change says is passed on", () => {
    const deletes = [remove("VirtualService", "gone")];
    expect(prepare({ deletes, reason: "why", requestId: "r" })).toEqual({
      ok: true,
      change: { puts: [], deletes, by: "ann", reason: "why", requestId: "r" },
      rules: new Map([["VirtualService/shop/gone", undefined]]),
      findings: [],
    });
  });
});

describe("refused", () => {
  const cases: readonly (readonly [string, Partial<ProposedChange>, string, readonly string[]])[] = [
    [
      "no YAML, told together with all that is wrong elsewhere",
      {
        puts: [
          put(route("a")),
          put(`a: "b\n---\n${route("b").replace("hosts", "host")}`, { source: { file: "x.yaml", line: 5 } }),
        ],
      },
      "syntax",
      [
        '1 x.yaml:5:4 error text/invalid-yaml The YAML is broken: a " is not closed. Close the text with "',
        "2 VirtualService/shop/b x.yaml:10:7 error rule/missing-field /spec/hosts The field hosts is missing.",
        '2 VirtualService/shop/b x.yaml:10:8 error rule/unknown-field /spec/host There is no field "host". Did you mean hosts?',
      ],
    ],
    [
      "YAML that is to be JSON",
      { puts: [put('{\n  "a": 1,\n}', { format: "json" })] },
      "syntax",
      [
        "0 :3:1 error text/invalid-yaml The JSON is broken: expected double-quoted property name. Look here and before it for a missing quote, comma or bracket; or send it as YAML.",
      ],
    ],
    [
      "another rule than that of the address",
      { puts: [put(route("a"), { mustBe: { kind: "Gateway", namespace: "prod", name: "b" } })] },
      "invalid",
      [
        "0 VirtualService/shop/a :2:7 error rule/wrong-place /kind Expected the kind Gateway, found VirtualService. Write Gateway, or send the document to the address of the rule that it is.",
        "0 VirtualService/shop/a :3:32 error rule/wrong-place /metadata/namespace Expected the namespace prod, found shop. Write prod, or send the document to the address of the rule that it is.",
        "0 VirtualService/shop/a :3:18 error rule/wrong-place /metadata/name Expected the name b, found a. Write b, or send the document to the address of the rule that it is.",
      ],
    ],
    [
      "two documents where one is expected",
      { puts: [put(`${route("a")}---\n${route("b")}`, { mustBe: { name: "a" } })] },
      "invalid",
      [
        "1 VirtualService/shop/b :6:1 error rule/wrong-place One document is expected here, and this is another one. Send several documents as one change set.",
      ],
    ],
    [
      "no document where one is expected",
      { puts: [put("# nothing\n", { mustBe: {} })] },
      "invalid",
      [
        "0 :1:1 error rule/wrong-place One document is expected here, and the text has none. Send the whole rule, with apiVersion, kind, metadata and spec.",
      ],
    ],
    [
      "the same rule twice",
      {
        puts: [put(route("a"), { source: { file: "a.yaml", line: 1 } }), put(route("a", "ratings"))],
        deletes: [remove("VirtualService", "a")],
      },
      "invalid",
      [
        "1 VirtualService/shop/a :3:18 error rule/duplicate-document /metadata/name VirtualService/shop/a is in this change already, in a.yaml:3. Keep one of the two.",
        "2 VirtualService/shop/a :: error rule/duplicate-document VirtualService/shop/a is in this change already, in a.yaml:3. Keep one of the two.",
      ],
    ],
    [
      "no rule at all",
      { puts: [put("a: 1\n")] },
      "invalid",
      [
        "0 :1:1 error rule/missing-field /apiVersion The field apiVersion is missing.",
        "0 :1:1 error rule/missing-field /kind The field kind is missing.",
      ],
    ],
  ];
  test.each(cases)("%s", (_name, change, expected, findings) => {
    const prepared = prepare(change);
    expect(told(prepared)).toEqual(findings);
    expect(refusal(prepared)).toBe(expected);
  });

  test("what a directory has", () => {
    const ownerOf = (key: RuleKey) => (key.endsWith("/a") ? { file: "rules/a.yaml", line: 7 } : undefined);
    const prepared = prepare({ puts: [put(route("b"))], deletes: [remove("VirtualService", "a")] }, { ownerOf });
    expect(refusal(prepared)).toBe("managed-elsewhere");
    expect(told(prepared)).toEqual([
      "1 VirtualService/shop/a :: error rule/managed-elsewhere VirtualService/shop/a is managed in rules/a.yaml:7. Edit it there; what the files say counts.",
    ]);
  });
});

test("a stored document that a directory's overshadows may go, and nothing is missed", () => {
  const ownerOf = () => ({ file: "rules/a.yaml", line: 7 });
  const rules = `${subsets("v1")}---\n${route("a", "reviews", ", subset: v1")}`;
  const change = { deletes: [remove("DestinationRule", "reviews")] };
  expect(refusal(prepare(change, { rules, ownerOf }))).toBe("managed-elsewhere");
  expect(refusal(prepare(change, { rules }))).toBe("dangling");
  const prepared = prepare(change, { rules, ownerOf, isOvershadowed: () => true });
  expect([refusal(prepared), told(prepared)]).toEqual(["none", []]);
  const written = prepare({ puts: [put(route("b"))] }, { ownerOf, isOvershadowed: () => true });
  expect(refusal(written)).toBe("managed-elsewhere");
});

describe("references", () => {
  const entry = document("ServiceEntry", "out", "{hosts: [api.example.com], resolution: STATIC}");
  const gateway = document(
    "Gateway",
    "edge",
    '{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ["*"]}]}',
  );
  const bound = (name: string) =>
    document(
      "VirtualService",
      name,
      "{hosts: [a], gateways: [edge], http: [{route: [{destination: {host: reviews}}]}]}",
    );

  const cases: readonly (readonly [string, string, Partial<ProposedChange>, readonly string[]])[] = [
    ["to what there is", "", { puts: [put(route("a"))] }, []],
    [
      "to what comes in the same change, in any order",
      "",
      {
        puts: [
          put(route("a", "reviews", ", subset: v1")),
          put(route("b", "api.example.com")),
          put(subsets("v1")),
          put(entry),
        ],
      },
      [],
    ],
    [
      "to nothing",
      "",
      { puts: [put(route("a", "reviws")), put(route("b", "reviews", ", subset: v1"))] },
      [
        "0 VirtualService/shop/a :4:57 error rule/unknown-host /spec/http/0/route/0/destination/host No service has the host reviws.shop.svc.cluster.local. Did you mean reviews.shop.svc.cluster.local?",
        "1 VirtualService/shop/b :4:74 error rule/unknown-subset /spec/http/0/route/0/destination/subset No DestinationRule defines the subset v1 of reviews.shop.svc.cluster.local. Write a DestinationRule for reviews.shop.svc.cluster.local with this subset.",
      ],
    ],
    [
      "to nothing, as before",
      route("a", "gone"),
      { puts: [put(route("a", "gone", ", port: {number: 80}"))] },
      [
        "0 VirtualService/shop/a :4:57 warning rule/unknown-host /spec/http/0/route/0/destination/host No service has the host gone.shop.svc.cluster.local. Add the service to a registry, or write a ServiceEntry for it.",
      ],
    ],
    ["of others to nothing, as before", route("a", "gone"), { puts: [put(route("b"))] }, []],
    [
      "to a subset that goes",
      `${subsets("v1", "v2")}---\n${route("a", "reviews", ", subset: v1")}`,
      { puts: [put(subsets("v2"))] },
      [
        "0 DestinationRule/shop/reviews :4:32 error rule/still-referenced /spec/subsets VirtualService/shop/a refers to the subset v1 of reviews.shop.svc.cluster.local, which this change takes away. Change what refers to it first, or in the same change.",
      ],
    ],
    [
      "to a subset that goes, and that another rule still defines",
      `${subsets("v1")}---\n${subsets("v1").replace("name: reviews", "name: second")}---\n${route("a", "reviews", ", subset: v1")}`,
      { deletes: [remove("DestinationRule", "reviews")] },
      [],
    ],
    [
      "to a subset of a wildcard that goes",
      `${subsets("v1").replace("host: reviews", 'host: "*.cluster.local"')}---\n${route("a", "reviews", ", subset: v1")}`,
      { deletes: [remove("DestinationRule", "reviews")] },
      [
        "0 DestinationRule/shop/reviews :: error rule/still-referenced VirtualService/shop/a refers to the subset v1 of reviews.shop.svc.cluster.local, which this change takes away. Change what refers to it first, or in the same change.",
      ],
    ],
    [
      "to a subset that goes together with them",
      `${subsets("v1")}---\n${route("a", "reviews", ", subset: v1")}`,
      { deletes: [remove("DestinationRule", "reviews"), remove("VirtualService", "a")] },
      [],
    ],
    [
      "to a host that goes",
      `${entry}---\n${route("a", "api.example.com")}---\n${document("DestinationRule", "wide", '{host: "*.example.com"}')}`,
      { deletes: [remove("ServiceEntry", "out")] },
      [
        "0 ServiceEntry/shop/out :: error rule/still-referenced DestinationRule/shop/wide refers to the host *.example.com, which this change takes away. Change what refers to it first, or in the same change.",
        "0 ServiceEntry/shop/out :: error rule/still-referenced VirtualService/shop/a refers to the host api.example.com, which this change takes away. Change what refers to it first, or in the same change.",
      ],
    ],
    [
      "to a Gateway that goes; five are named",
      [gateway, ...["a", "b", "c", "d", "e", "f", "g"].map(bound)].join("---\n"),
      { deletes: [remove("Gateway", "edge")] },
      [
        "0 Gateway/shop/edge :: error rule/still-referenced VirtualService/shop/a, VirtualService/shop/b, VirtualService/shop/c, VirtualService/shop/d, VirtualService/shop/e and 2 more refer to Gateway/shop/edge, which this change takes away. Change what refers to it first, or in the same change.",
      ],
    ],
  ];
  test.each(cases)("%s", (_name, rules, change, findings) => {
    const prepared = prepare(change, { rules });
    expect(told(prepared)).toEqual(findings);
    expect(refusal(prepared)).toBe(findings.some((text) => text.includes(" error ")) ? "dangling" : "none");
    const allowed = prepare({ ...change, allowDangling: true }, { rules });
    expect(refusal(allowed)).toBe("none");
    expect(told(allowed)).toEqual(findings.map((text) => text.replace(" error ", " warning ")));
  });

  test("what is only to be remarked on stands in no change's way", () => {
    const db = document("ServiceEntry", "db", "{hosts: [a.b], ports: [{number: 5432, name: db, protocol: TCP}]}");
    const prepared = prepare({ puts: [put(db)] });
    expect(told(prepared)).toEqual([
      "0 ServiceEntry/shop/db :4:30 warning rule/port-without-address /spec/ports/0 Nothing but its number tells the TCP port 5432 from that of another service: of several without addresses, the oldest gets all connections. Add the addresses that clients dial.",
    ]);
    expect(puts(prepared)).toHaveLength(1);
  });

  test("without a catalog hosts are not checked, and subsets are", () => {
    const prepared = prepare(
      { puts: [put(route("a", "nothing")), put(route("b", "reviews", ", subset: v1"))] },
      { catalog: undefined },
    );
    expect(told(prepared).map((text) => text.split(" ")[4])).toEqual(["rule/unknown-subset"]);
  });
});
