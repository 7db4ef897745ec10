// Measures what a newcomer goes through: clones this repository (what is committed) next to an empty home folder and empty
// caches, does what the README says, asks through the gateway, moves both canaries (by a saved file, `fairway apply` and curl, as
// `npm start` prints it), and stops everything.
//
//     npm run newcomer                   empty caches: npm and pip download what they need
//     npm run newcomer -- --warm-npm     npm's own cache may be used
//
// Plain Node 20 or newer. Exit status 1 when no request makes it through two Envoys, or something stays behind.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, homedir, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const repository = join(dirname(fileURLToPath(import.meta.url)), "../..");
const warmNpm = process.argv.includes("--warm-npm");
const room = mkdtempSync(join(tmpdir(), "fairway-newcomer-"));
const clone = join(room, "fairway");

/** What the newcomer's shell has: nothing of this user's but the way to the registries of packages. */
function newcomersEnvironment() {
  const foreign =
    /^(npm_|XDG_|FAIRWAY_|ENVOY_BIN$|INIT_CWD$|NODE$|NODE_OPTIONS$|NODE_COMPILE_CACHE$|HOME$|TMPDIR$|VITEST)/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
  const home = join(room, "home");
  const temporary = join(room, "tmp");
  for (const folder of [home, temporary]) mkdirSync(folder);
  // Under `npm run` the tools of this clone come first on the PATH; a newcomer has those of the system.
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  const settings = {
    npm_config_userconfig: join(homedir(), ".npmrc"),
    PIP_CONFIG_FILE: [".config/pip/pip.conf", ".pip/pip.conf"].map((file) => join(homedir(), file)).find(existsSync),
    npm_config_cache: warmNpm ? join(homedir(), ".npm") : join(room, "npm-cache"),
  };
  const given = Object.entries(settings).filter(([, value]) => value !== undefined && existsSync(dirname(value)));
  return { ...env, ...Object.fromEntries(given), HOME: home, TMPDIR: temporary, PATH: path.join(delimiter) };
}

const env = newcomersEnvironment();
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** Runs a command to its end; how long it took, in milliseconds. */
async function run(command, args, cwd) {
  const begun = performance.now();
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      printed += data;
    });
  }
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with status ${code}:\n${printed}`);
  return { tookMs: performance.now() - begun, printed };
}

const toStop = new Set();

/** `npm start`, with the moment at which each part of its output came. */
function start() {
  const begun = performance.now();
  const child = spawn("npm", ["start"], { cwd: clone, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "close");
  const parts = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => parts.push({ text, atMs: performance.now() - begun }));
  }
  const printed = () => parts.map(({ text }) => text).join("");
  const until = async (pattern) => {
    for (const deadline = performance.now() + 900_000; ; await delay(5)) {
      const found = pattern.exec(printed());
      if (found) return found;
      if (child.exitCode !== null) throw new Error(`npm start ended with status ${child.exitCode}:\n${printed()}`);
      if (performance.now() > deadline) throw new Error(`npm start never printed ${pattern}:\n${printed()}`);
    }
  };
  const stop = async () => {
    toStop.delete(stop);
    // As the terminal does it for Ctrl-C.
    if (child.exitCode === null) process.kill(-child.pid, "SIGINT");
    const [code, signal] = await exited;
    // npm itself may end by the signal; its output is closed when the mesh has ended.
    if (code !== 0 && signal !== "SIGINT") throw new Error(`npm start ended with status ${code}:\n${printed()}`);
  };
  toStop.add(stop);
  return { begun, parts, until, stop };
}

/** From the command to the first answer through the gateway's Envoy and a sidecar's; without Envoy's download. */
async function firstRequest() {
  const { begun, parts, until, stop } = start();
  const [, url] = await until(/curl (http:\S+)/);
  const answer = (await (await fetch(url)).text()).trim();
  if (!/^web v1 -> \[reviews v[12], ratings v[12]\]$/.test(answer)) throw new Error(`${url} answered: ${answer}`);
  const totalMs = performance.now() - begun;
  const at = (text) => parts.find((part) => part.text.includes(text))?.atMs;
  const downloading = at("downloading Envoy");
  const downloadMs = downloading === undefined ? 0 : at("Starting the example mesh") - downloading;
  return { url, answer, downloadMs, firstMs: totalMs - downloadMs, until, stop };
}

/** Milliseconds until the first of so many answers in a row from this version. */
async function untilMoved(url, answer, inRow = 50) {
  const begun = performance.now();
  for (let seen = 0, first = 0; ; ) {
    const isNew = (await (await fetch(url)).text()).includes(answer);
    if (seen === 0) first = performance.now();
    seen = isNew ? seen + 1 : 0;
    if (seen === inRow) return first - begun;
    if (performance.now() - begun > 30_000) throw new Error(`no traffic moved to ${answer} within 30 s`);
  }
}

/** Makes the first two weights of a file 0 and 100. */
function editWeights(file) {
  const path = join(clone, file);
  const weights = ["0", "100"];
  writeFileSync(
    path,
    readFileSync(path, "utf8").replace(/(?<=weight: )\d+/g, (old) => weights.shift() ?? old),
  );
}

/** From saving the file to the traffic. */
async function saveCanary({ url, until }) {
  const [, file] = await until(/Edit {3}(\S+):\d+/);
  editWeights(file);
  return untilMoved(url, "reviews v2");
}

/** From the printed command, after an edit of the file that it names, to the traffic. */
async function applyCanary({ url, until }) {
  const [, command, file] = await until(/Apply {2}(npx fairway apply -f (\S+)(?: --server \S+)?)/);
  editWeights(file);
  const [movedMs] = await Promise.all([untilMoved(url, "ratings v2"), run("bash", ["-c", command], clone)]);
  return movedMs;
}

/** From the printed command, which gives each version a half, to the first answer from the one that had nothing. */
async function patchCanary({ url, until }) {
  const [, command] = await until(/Curl {3}([\s\S]*?)\n {2}Logs /);
  const [movedMs] = await Promise.all([untilMoved(url, "ratings v1", 1), run("bash", ["-c", command], clone)]);
  return movedMs;
}

async function stopMesh({ url, stop }) {
  await stop();
  const left = await fetch(url).then(
    () => true,
    () => false,
  );
  if (left) throw new Error(`somebody still answers at ${url}`);
}

const typed = ["git clone …", "cd fairway", "npm ci && npm start", "curl http://…"];

async function measure() {
  await run("git", ["clone", "--quiet", "--no-hardlinks", repository, clone], room);
  const { printed: version } = await run("git", ["log", "-1", "--format=%h"], clone);
  const { printed: node } = await run("node", ["--version"], room);
  const install = await run("npm", ["ci"], clone);
  const first = await firstRequest();
  const savedMs = await saveCanary(first);
  const appliedMs = await applyCanary(first);
  const patchedMs = await patchCanary(first);
  await stopMesh(first);
  const again = await firstRequest();
  await stopMesh(again);

  const rows = [
    ["npm ci", seconds(install.tookMs), warmNpm ? "npm's cache was warm" : "empty cache"],
    ["Envoy's download", seconds(first.downloadMs), "once; not counted below"],
    ["npm start to the first request", seconds(first.firstMs), first.answer],
    ["the same once more", seconds(again.firstMs), "Envoy and compiled code are in their caches"],
    ["weight saved to traffic moved", seconds(savedMs), "90/10 to 0/100"],
    ["applied to traffic moved", seconds(appliedMs), "100/0 to 0/100; npx and the command included"],
    ["curl to traffic moved", seconds(patchedMs), "0/100 to 50/50; curl included"],
    ["commands typed until then", String(typed.length), typed.join("; ")],
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const place = `${process.platform}-${process.arch}, ${availableParallelism()} cores, Node ${node.trim()}`;
  console.log(`A newcomer, ${new Date().toISOString().slice(0, 10)}, ${place}, commit ${version.trim()}\n`);
  for (const [what, figure, note] of rows) {
    console.log(`${what.padEnd(widths[0])}  ${figure.padStart(widths[1])}  ${note}`);
  }
  const warnings = install.printed.split("\n").filter((line) => /warn/i.test(line));
  if (warnings.length > 0) console.log(`\nnpm ci warned:\n${warnings.join("\n")}`);
}

process.once("SIGINT", () => process.exit(130));
process.once("exit", () => rmSync(room, { recursive: true, force: true, maxRetries: 3 }));
try {
  await measure();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  for (const stop of toStop) await stop();
}
