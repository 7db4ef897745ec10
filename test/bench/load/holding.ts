import { digestOf } from "../fixture/digest.ts";
import { type BenchType, type PerType, perType } from "../fixture/types.ts";
import type { Arrival } from "./message-reader.ts";
import { resourcesIn, type Variant } from "./skim.ts";

/** What a checking stream holds: everything that it was sent, decoded. */
export interface Holding {
  readonly take: (type: BenchType, arrival: Arrival) => void;
  readonly clear: () => void;
  /** No longer wanted. */
  readonly forget: (type: BenchType, names: readonly string[]) => void;
  /** By type, of names and contents. */
  readonly digests: () => PerType<string>;
}

/** In state-of-the-world a response of these types is all there is. */
const whole: ReadonlySet<BenchType> = new Set(["CDS", "LDS"]);

export function createHolding(variant: Variant): Holding {
  const tables = perType(() => new Map<string, Buffer>());
  return {
    take: (type, { whole: message }) => {
      if (message === undefined) throw new Error("a checking stream needs whole messages");
      const table = tables[type];
      const { resources, removed } = resourcesIn(message, variant);
      if (variant === "sotw" && whole.has(type)) table.clear();
      for (const { name, body } of resources) table.set(name, Buffer.from(body));
      for (const name of removed) table.delete(name);
    },
    clear: () => {
      for (const table of Object.values(tables)) table.clear();
    },
    forget: (type, names) => {
      for (const name of names) tables[type].delete(name);
    },
    digests: () => perType((type) => digestOf(type, [...tables[type]])),
  };
}
