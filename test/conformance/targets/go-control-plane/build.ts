import { buildGoProgram } from "../../../support/go-program.ts";

/** The path of the program, built once for its sources: into `fairway/conformance` in the user's cache folder. */
export const buildProgram = (env: NodeJS.ProcessEnv): Promise<string> =>
  buildGoProgram({ name: "go-control-plane", sources: import.meta.dirname, cache: "conformance" }, env);
