import type { DatabaseSync } from "node:sqlite";

/**
 * Work on the database that must happen as one: it runs on the database's own thread, inside one transaction, which is committed
 * when it returns and rolled back when it throws. Inputs and results are plain data: they travel between threads.
 */
export type Procedure<Input, Output> = (db: DatabaseSync, input: Input) => Output;

// biome-ignore lint/suspicious/noExplicitAny: each procedure has its own input
export type Procedures = Readonly<Record<string, Procedure<any, unknown>>>;

/** Calls a procedure by name; resolves once what it wrote is on the disk. Rejects with a `store/…` MeshError. */
export type Call<P extends Procedures> = <Name extends keyof P & string>(
  name: Name,
  input: Parameters<P[Name]>[1],
) => Promise<ReturnType<P[Name]>>;

/** One step of the layout of the file: SQL that brings the step before to this one. Steps are never changed, only added. */
export interface LayoutStep {
  readonly name: string;
  readonly sql: string;
}

/** Which file is one of ours, and how it is laid out. The number of steps is the file's layout number. */
export interface DatabaseFormat {
  /** 32 bits that tell our files from those of other programs. */
  readonly applicationId: number;
  readonly layout: readonly LayoutStep[];
}
