import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { danglingReferences, repairReferences } from "../../src/compile/references.ts";
import { bytesJson } from "../../src/envoy/pack.ts";
import { createResourceSet, type Reference, type Resource, referenceKey } from "../../src/envoy/resource-set.ts";
import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";

const resource = (text: string, ...names: readonly string[]): Resource => ({
  ...reference(text),
  version: "1",
  bytes: new Uint8Array(),
  references: names.map(reference),
  provenance: () => [],
});

function reference(text: string): Reference {
  const [type, name = ""] = text.split(" ");
  return { type: type as TypeName, name };
}

const keys = (list: readonly Reference[]): readonly string[] => list.map(referenceKey).sort();
const json = ({ type, bytes }: Resource) => bytesJson(resourceType(type).url, bytes);

test("nothing is done where nothing is missing", () => {
  const resources = [
    resource("LDS l", "RDS r"),
    resource("RDS r", "CDS a"),
    resource("CDS a", "EDS a"),
    resource("EDS a"),
  ];
  expect(repairReferences(resources)).toEqual({ resources, repairs: [] });
});

describe("what is missing gets a placeholder that makes nobody wait", () => {
  test.each<readonly [string, Resource, unknown]>([
    ["a cluster without endpoints", resource("RDS r", "CDS a"), { name: "a", type: "STATIC", connectTimeout: "10s" }],
    ["an assignment without endpoints", resource("CDS c", "EDS a"), { clusterName: "a" }],
    ["a route table without hosts", resource("LDS l", "RDS a"), { name: "a" }],
    ["a route table, for a scope", resource("SRDS s", "RDS a"), { name: "a" }],
  ])("%s", (_what, user, want) => {
    const { resources, repairs } = repairReferences([user]);
    const [, placeholder] = resources;
    expect(resources).toHaveLength(2);
    expect(placeholder && json(placeholder)).toMatchObject(want as object);
    expect(repairs).toMatchObject([{ ...reference(`${user.references[0]?.type} a`), kind: "missing" }]);
    expect(placeholder?.provenance()[0]?.origins).toEqual([{ kind: "repair", reason: repairs[0]?.reason }]);
  });

  test("once for all that name it, with the reason", () => {
    const users = [resource("LDS l", "CDS a"), resource("RDS r", "CDS a"), resource("CDS b")];
    const { resources, repairs } = repairReferences(users);
    expect(keys(resources)).toEqual(["CDS a", "CDS b", "LDS l", "RDS r"]);
    expect(repairs).toEqual([
      { type: "CDS", name: "a", kind: "missing", reason: "LDS l names it, and there is no CDS a" },
    ]);
  });

  test("endpoints are of another version for another version of their cluster", () => {
    const [one, two] = ["1", "2"].map((version) => {
      const { resources } = repairReferences([{ ...resource("CDS a", "EDS a"), version }]);
      return resources.find(({ type }) => type === "EDS")?.version;
    });
    expect(one).toBeDefined();
    expect(one).not.toBe(two);
  });
});

test("what cannot work without a missing filter is left out, and so is nothing else", () => {
  const { resources, repairs } = repairReferences([
    resource("LDS l", "ECDS f", "RDS r"),
    resource("LDS m", "ECDS f"),
    resource("LDS n", "ECDS g", "CDS a"),
    resource("ECDS g"),
  ]);
  expect(keys(resources)).toEqual(["CDS a", "ECDS g", "LDS n"]);
  expect(repairs.map(({ kind, type, name, reason }) => [kind, type, name, reason])).toEqual([
    ["broken", "LDS", "l", "it needs ECDS f, which is not there"],
    ["broken", "LDS", "m", "it needs ECDS f, which is not there"],
    ["missing", "CDS", "a", "LDS n names it, and there is no CDS a"],
  ]);
});

test("secrets come by another way; what is only for who names it is there", () => {
  const onDemand = { ...resource("CDS a"), onDemand: true };
  expect(danglingReferences([resource("LDS l", "SDS s", "CDS a"), onDemand])).toEqual([]);
});

const names = fc.constantFrom("a", "b", "c");
const user = fc.tuple(
  fc.constantFrom("LDS", "RDS", "CDS", "SRDS", "ECDS"),
  names,
  fc.uniqueArray(fc.tuple(fc.constantFrom("RDS", "CDS", "EDS", "ECDS", "SDS"), names).map((parts) => parts.join(" "))),
);

test("after a repair nothing dangles, what was whole is untouched, and a second repair does nothing", () => {
  fc.assert(
    fc.property(fc.uniqueArray(user, { selector: ([type, name]) => `${type} ${name}` }), (list) => {
      const before = list.map(([type, name, uses]) => resource(`${type} ${name}`, ...uses));
      const { resources, repairs } = repairReferences(before);
      expect(danglingReferences(resources)).toEqual([]);
      expect(() => createResourceSet(resources, repairs)).not.toThrow();
      const leftOut = before.filter((one) => !resources.includes(one));
      expect(keys(leftOut)).toEqual(keys(repairs.filter(({ kind }) => kind === "broken")));
      expect(repairReferences(resources)).toEqual({ resources, repairs: [] });
    }),
  );
});
