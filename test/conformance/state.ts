import type { TypeName } from "../../src/envoy/resource-types.ts";
import type { StateView } from "./invariants.ts";
import type { RawResource } from "./resources.ts";
import type { Change } from "./targets/target.ts";

/** What a case has put into a server: what the server knows, as far as the suite can say. */
export interface CaseState extends StateView {
  readonly apply: (change: Change) => void;
  readonly resources: () => readonly RawResource[];
}

export function createState(): CaseState {
  const tables = new Map<TypeName, Map<string, RawResource>>();
  const since = new Map<string, number>();
  const ever = new Set<string>();
  const table = (type: TypeName): Map<string, RawResource> => {
    const found = tables.get(type) ?? new Map<string, RawResource>();
    tables.set(type, found);
    return found;
  };
  const key = (type: TypeName, name: string): string => `${type} ${name}`;
  return {
    apply({ put = [], del = [] }) {
      for (const { type, name } of del) {
        table(type).delete(name);
        since.delete(key(type, name));
      }
      for (const one of put) {
        table(one.type).set(one.name, one);
        since.set(key(one.type, one.name), since.get(key(one.type, one.name)) ?? performance.now());
        ever.add(key(one.type, one.name));
      }
    },
    resources: () => [...tables.values()].flatMap((one) => [...one.values()]),
    find: (type, name) => table(type).get(name)?.bytes,
    all: (type) => new Map([...table(type)].map(([name, { bytes }]) => [name, bytes])),
    isOnDemand: (type, name) => table(type).get(name)?.onDemand === true,
    since: (type, name) => since.get(key(type, name)),
    everHad: (type, name) => ever.has(key(type, name)),
  };
}
