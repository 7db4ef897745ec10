import type { Variant } from "../load/skim.ts";
import type { Session } from "../session.ts";

/** What one workload measured, by metric: the endings of the names say the unit (`Ms`, `S`, `Bytes`, `Count`, `Share`). */
export type Figures = Readonly<Record<string, number>>;

export interface Sizes {
  /** Lone changes of W2a, W2s and W9. */
  readonly changes: number;
  /** The same with state of the world, where one costs some servers seconds. */
  readonly wholeSetChanges: number;
  readonly churnSeconds: number;
  readonly churnPerSecond: number;
  /** Edits of one rule in W3. */
  readonly ruleEdits: number;
  /** Edits of each kind in W4 and W6, which are larger. */
  readonly edits: number;
  /** Of W5. */
  readonly restarts: number;
}

/** `whole`: everybody sees everything. `scoped`: everybody sees its own namespace. */
export type Setting = "whole" | "scoped";

export interface Workload {
  readonly id: string;
  readonly title: string;
  readonly setting: Setting;
  readonly variants: readonly Variant[];
  /** Throws where a server is wrong or does not get done; how slow it may be is judged later. */
  readonly run: (session: Session, sizes: Sizes) => Promise<Figures>;
}
