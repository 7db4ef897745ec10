/** A fault put into our code: one place, and the tests that notice it. */
export interface BugMutant {
  readonly class: number;
  /** What then goes wrong. */
  readonly what: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Test files of which at least one test fails. */
  readonly killedBy: readonly string[];
}

/** A file of the wire. */
export const machine = (name: string): string => `src/xds/${name}.ts`;

/** Test files of the wire. */
export const tests = (...names: readonly string[]): readonly string[] =>
  names.map((name) => `test/xds/${name}.test.ts`);
