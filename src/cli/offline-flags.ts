import type { Flag } from "./command.ts";
import { catalogFlag, meshFlag } from "./inputs.ts";

/** Of commands that work without a server. */
export const offlineFlags: readonly Flag[] = [
  { flags: "--rules <path...>", summary: "files or directories of rules" },
  catalogFlag,
  meshFlag,
];
