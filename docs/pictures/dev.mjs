// Draws docs/dev.svg from what `fairway dev` really prints: `node docs/pictures/dev.mjs`. Needs `script` (util-linux), which
// gives it a terminal, and an Envoy. Look at the picture before committing it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { terminalSvg } from "./terminal-svg.mjs";

const root = join(import.meta.dirname, "../..");
const cwd = mkdtempSync(join(tmpdir(), "fairway-picture-"));
const canary = join(cwd, "fairway-dev/rules/reviews.yaml");

let printed = "";
const command = `stty cols 110; exec '${process.execPath}' '${join(root, "src/app/main.ts")}' dev`;
const terminal = spawn("script", ["-qefc", command, "/dev/null"], {
  cwd,
  // Its token is not for this user's folder.
  env: { ...process.env, TERM: "xterm-256color", XDG_CONFIG_HOME: join(cwd, "config") },
});
terminal.stdout.on("data", (data) => {
  printed += data;
});

async function untilPrinted(text) {
  for (let tries = 0; !printed.includes(text); tries++) {
    if (tries > 600) throw new Error(`it never printed ${text}:\n${printed}`);
    await delay(50);
  }
}

function edit(from, to) {
  const text = readFileSync(canary, "utf8");
  if (!text.includes(from)) throw new Error(`no ${from} in\n${text}`);
  writeFileSync(canary, text.replace(from, to));
}

await untilPrinted("Ctrl-C");
await delay(1_500);
edit("weight: 90", "weight: 50");
await untilPrinted("took");
await delay(3_000);
edit("weight: 50", "weight: -1");
await untilPrinted("stays in force");
await delay(3_000);
edit("weight: -1", "weight: 0");
await untilPrinted("-> 0".replace("->", "→"));
await untilPrinted("fixed");
await delay(500);
terminal.stdin.write("\u0003");
await once(terminal, "close");
rmSync(cwd, { recursive: true });

// The start is over, and the end is not the point.
const shown = printed
  .replaceAll("\r", "")
  .replace(/\^C[\s\S]*$/, "")
  .replace(/^Starting.*\n\n/, "");
writeFileSync(
  join(root, "docs/dev.svg"),
  terminalSvg(`$ npm start\n\n${shown}`, {
    title: "fairway dev",
    label:
      "What fairway dev prints: what runs where, then a weight that was edited, who took it, and a mistake with its line",
  }),
);
