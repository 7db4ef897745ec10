import { type BugMutant, machine, tests } from "./bug-mutant.ts";

/** Clusters and endpoints are one thing, although the protocol treats them apart. Classes 1 to 6. */
export const couplingBugs: readonly BugMutant[] = [
  {
    class: 1,
    what: "a changed cluster is not followed by its endpoints, and stays warming",
    file: machine("settle"),
    find: 'const names = union(EDS.asked, namesReferred(renewed, "EDS"));',
    replace: "const names = EDS.asked;",
    killedBy: tests("order"),
  },
  {
    class: 2,
    what: "endpoints have the same version under a changed cluster: one that was cut off between the two is taken for done",
    file: "src/compile/endpoints.ts",
    find: "ClusterLoadAssignmentSchema, assignment, [], cluster.version);",
    replace: "ClusterLoadAssignmentSchema, assignment, []);",
    killedBy: ["test/compile/sharing.test.ts"],
  },
  {
    class: 2,
    what: "a proxy that comes back in the middle of a change of clusters gets no endpoints",
    file: machine("stream"),
    find: 'type.short === "EDS" && resuming && CDS.subscription === undefined;',
    replace: "false;",
    killedBy: tests("delta"),
  },
  {
    class: 3,
    what: "endpoints that do not exist are not answered",
    file: "src/envoy/resource-types.ts",
    find: 'usedBy: ["CDS"],\n    resumable: true,\n    absent: { sotw: "empty", delta: "removed" },',
    replace: 'usedBy: ["CDS"],\n    resumable: true,\n    absent: { sotw: "silent", delta: "silent" },',
    killedBy: tests("types", "sotw"),
  },
  {
    class: 4,
    what: "no answer at all while a name that is asked for does not exist",
    file: machine("sotw"),
    find: 'if (isOwed && pending.size > 0) return { kind: "wait" };',
    replace: 'if (isOwed && pending.size + absent.length > 0) return { kind: "wait" };',
    killedBy: tests("sotw"),
  },
  {
    class: 5,
    what: "endpoints wait behind whatever is not confirmed",
    file: machine("push-plan"),
    find: "if (!gated) return true;",
    replace: "",
    killedBy: tests("order"),
  },
  {
    class: 5,
    what: "one resource that cannot be compiled stops the whole set",
    file: "src/snapshot/resource-cache.ts",
    find: "const set = compiler.compile(at, entry.profile);",
    replace:
      'const set = compiler.compile(at, entry.profile);\n      if (set.broken.length > 0) throw new Error("broken");',
    killedBy: ["test/snapshot/keep-last-good.test.ts"],
  },
  {
    class: 6,
    what: "the order of types is another one",
    file: machine("settle"),
    find: "for (const type of resourceTypes) {",
    replace: "for (const type of resourceTypes.toReversed()) {",
    killedBy: tests("order"),
  },
];
