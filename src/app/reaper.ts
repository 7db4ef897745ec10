import { spawn } from "node:child_process";
import type { Writable } from "node:stream";

/**
 * Ends what we started when we end, however we end: `kill -9`, a crash, a closed terminal. A shell of its own session
 * reads our commands from a pipe; the kernel closes the pipe when we are gone, and then the shell runs those that were
 * not taken back.
 */
const script = `
trap '' HUP INT TERM
left=
while read -r key command; do
  eval "last_$key=\\$command"
  left="$left $key"
done
for key in $left; do
  eval "command=\\$last_$key; last_$key="
  $command
done
`;

/** Words that the shell takes literally. */
const safeWord = /^[\w./:@=-]+$/;

let pipe: Writable | undefined;
let lastKey = 0;

/** `command` (words without any meaning to a shell) runs when this process is gone, unless the returned function is called before. */
export function runAfterDeath(command: readonly string[]): () => void {
  const unsafe = command.find((word) => !safeWord.test(word));
  if (unsafe !== undefined) throw new Error(`not a safe word for the reaper: ${JSON.stringify(unsafe)}`);
  pipe ??= startReaper();
  const key = ++lastKey;
  pipe.write(`${key} ${command.join(" ")}\n`);
  return () => pipe?.write(`${key}\n`);
}

function startReaper(): Writable {
  const reaper = spawn("/bin/sh", ["-c", script], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  // Without it nothing is lost but the last guarantee: an orderly stop ends its children itself.
  reaper.on("error", () => {});
  reaper.stdin.on("error", () => {});
  reaper.unref();
  if ("unref" in reaper.stdin && typeof reaper.stdin.unref === "function") reaper.stdin.unref();
  return reaper.stdin;
}
