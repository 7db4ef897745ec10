import { join } from "node:path";

/** The words that run the command `fairway` of this tree. */
export const fairwayCommand: readonly string[] = [process.execPath, join(import.meta.dirname, "../../src/app/main.ts")];
