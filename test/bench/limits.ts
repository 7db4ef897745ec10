import { readFileSync } from "node:fs";
import { WrongUse } from "./wrong-use.ts";

/** Beside its sockets a process has some files open. */
const others = 200;

/** Throws when this machine lets a process have too few sockets for so many proxies. */
export function checkLimits(proxies: number): void {
  const [, soft = ""] = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  const wanted = 2 * proxies + others;
  if (soft === "unlimited" || Number(soft) >= wanted) return;
  throw new WrongUse(
    `${proxies} proxies need ${wanted} open files and ${soft} are allowed: run \`ulimit -n ${wanted}\` first`,
  );
}
