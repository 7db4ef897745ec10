// The long forms of the tests, and the figures: what `npm test` has no time for. Writes what it saw to docs/proof.md.
//
//     npm run full                  all of it
//     npm run full -- flips minute  only the parts whose titles have one of these words; what was seen of the others stays
//
// About two hours on two cores, with nothing else to do for them; FAIRWAY_SCHEMATHESIS_SECONDS shortens the longest part
// (default 600). Exit status 1 when a part failed.
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, platform, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..");
const vitest = join(repository, "node_modules/vitest/vitest.mjs");

const test = (file, env) => ({ args: [vitest, "run", file, "--reporter=verbose"], env: { CI: "true", ...env } });

const schemathesisSeconds = process.env.FAIRWAY_SCHEMATHESIS_SECONDS ?? "600";

/** Another seed each time; a run is repeated with the one that it shows. */
const fuzz = {
  FAIRWAY_FUZZ_PERCENT: "100",
  FAIRWAY_FUZZ_SEED: process.env.FAIRWAY_FUZZ_SEED ?? String(randomInt(1_000_000)),
};

/** What is run, in this order: figures first, while the machine is quiet. */
const parts = [
  { title: "Figures of the API", ...{ args: [join(repository, "test/bench/main.ts"), "api"], env: {} } },
  {
    title: "A day in half an hour: what 1,000 proxies, their changes and their comings leave behind",
    ...{ args: [join(repository, "test/bench/main.ts"), "soak"], env: {} },
  },
  {
    title: "200 times killed while it writes",
    ...test("test/stories/store-kill.test.ts", { FAIRWAY_KILLS: "200" }),
  },
  {
    title: "500 flips under load, by four Envoys",
    ...test("test/envoy/flips.test.ts", { FAIRWAY_FLIPS: "500" }),
  },
  {
    title: "50 flips under load, by four Envoys without ADS",
    ...test("test/envoy/single-type.test.ts", { FAIRWAY_ALONE_FLIPS: "50" }),
  },
  {
    title: "One of 20 Envoys stands still for a minute",
    ...test("test/envoy/stopped.test.ts", { FAIRWAY_STOPPED_ENVOYS: "20", FAIRWAY_STOPPED_SECONDS: "60" }),
  },
  {
    title: "20 Envoys, a restart and a change of replica",
    ...test("test/envoy/replicas.test.ts", { FAIRWAY_REPLICA_ENVOYS: "20" }),
  },
  {
    title: "Faults of an API server, each for a minute, under load",
    // Requests between pods take network namespaces, which there are none of in CI.
    ...test("test/kubernetes/faults.test.ts", { FAIRWAY_KUBE_FAULT_SECONDS: "60", CI: "false" }),
  },
  {
    title: "200 changes, the stream cut at every message",
    ...test("test/envoy/cut-streams.test.ts", { FAIRWAY_CUTS: "50" }),
  },
  ...["FLW", "AUT-05"].map((only) => ({
    title: `Flow and limits in full: ${only}`,
    args: [
      join(repository, "test/conformance/main.ts"),
      ...["--target", "fairway", "--only", only, "--failures", "--concurrency", "1"],
    ],
    env: { FAIRWAY_CONFORMANCE: "long" },
  })),
  {
    title: "A fault of each class of bugs that other control planes had: which test notices it",
    ...{ args: [join(repository, "test/mutation/bug-classes.mjs")], env: {}, maxLines: 120 },
  },
  {
    title: "Small faults in the state machines and the push plan: how many the tests notice",
    ...{ args: [join(repository, "test/mutation/run.mjs")], env: {}, maxLines: 120 },
  },
  {
    title: "The conformance suite: Fairway, and go-control-plane in four configurations",
    args: [
      join(repository, "test/conformance/main.ts"),
      ...[
        "fairway",
        ...["plain", "ordered", "no-legacy-wildcard", "linear"].map((one) => `go-control-plane:${one}`),
      ].flatMap((target) => ["--target", target]),
      ...["--failures", "-o", "brief"],
    ],
    // Without Go the part has failed.
    env: { CI: "true" },
  },
  {
    title: "5,000 streams that end, in each of 36 ways, and 5,000 refusals",
    ...test("test/stories/aborts.test.ts", { FAIRWAY_ABORTS: "5000" }),
  },
  {
    title: "1,000,000 mutated requests to the state machines",
    ...test("test/xds/fuzz-machines.test.ts", fuzz),
  },
  {
    title: "100,000 mutated requests over a socket",
    ...test("test/xds/fuzz-socket.test.ts", fuzz),
  },
  {
    title: "1,000,000 requests to random route tables, half of them beside each of two Envoys",
    ...test("test/explain/differential.test.ts", { ...fuzz, FAIRWAY_FUZZ_PERCENT: "50" }),
  },
  {
    title: "200,000 connections to random listeners, half of them beside each of two Envoys",
    ...test("test/explain/chains.test.ts", fuzz),
  },
  {
    title: "100,000 calls through sidecars of random meshes, half of them beside each of two Envoys",
    ...test("test/explain/compiled.test.ts", { ...fuzz, FAIRWAY_FUZZ_PERCENT: "20" }),
  },
  {
    title: "Minutes of schemathesis: every operation, every check",
    ...test("test/api/schemathesis.test.ts", { FAIRWAY_SCHEMATHESIS_SECONDS: schemathesisSeconds }),
  },
];

/** Of what a part prints, the last so many; some have a line for each of many things. */
const usualLines = 60;

const words = process.argv.slice(2).map((word) => word.toLowerCase());
const isWanted = ({ title }) => words.length === 0 || words.some((word) => title.toLowerCase().includes(word));

const results = [];
for (const part of parts.filter(isWanted)) {
  console.log(`\n# ${part.title}\n`);
  results.push({ ...part, ...(await run(part.args, part.env)), where: await place() });
}
const proof = join(repository, "docs/proof.md");
writeFileSync(proof, page(new Map([...sectionsOf(readFileSync(proof, "utf8")), ...results.map(sectionOf)])));
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;

/** Runs a file with this Node, shows what it prints, and keeps it. */
async function run(args, env) {
  const begun = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: repository,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      printed += text;
      process.stdout.write(text);
    });
  }
  const [code] = await once(child, "close");
  return { code, printed, seconds: (performance.now() - begun) / 1_000 };
}

/** The sections of an earlier page by title. */
function sectionsOf(text) {
  const [, ...sections] = text.split(/^## /m);
  return sections.map((section) => [section.slice(0, section.indexOf("\n")), `## ${section.trimEnd()}\n`]);
}

function sectionOf({ title, code, printed, seconds, env, where, maxLines = usualLines }) {
  const settings = Object.entries(env).filter(([name]) => name.startsWith("FAIRWAY_"));
  const how = settings.map(([name, value]) => ` (\`${name}=${value}\`)`).join("");
  const verdict = code === 0 ? "Passed" : `**Failed**, with status ${code},`;
  const said = `${verdict} in ${seconds.toFixed(0)} s${how}; ${where}.`;
  return [title, `## ${title}\n\n${said}\n\n\`\`\`text\n${excerpt(printed, maxLines)}\n\`\`\`\n`];
}

/** In the order in which they are run; of parts that are no more, nothing. */
function page(sections) {
  return [
    "# What the long tests saw",
    "",
    "Written by `npm run full`; not edited by hand. The figures are of one run on one machine.",
    "",
    `- Node ${process.versions.node}, ${platform()}`,
    `- ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    "",
    parts.flatMap(({ title }) => sections.get(title) ?? []).join("\n"),
  ].join("\n");
}

/** When, and on what. */
async function place() {
  const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  return `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC, Fairway ${version}, ${await commit()}`;
}

/** What was tested: the commit, and whether files differ from it. */
async function commit() {
  const hash = (await git("rev-parse", "--short=12", "HEAD")).trim();
  const changed = (await git("status", "--porcelain", "--", ".", ":!docs/proof.md")).trim();
  return `commit ${hash}${changed === "" ? "" : " with changes that are not committed"}`;
}

async function git(...args) {
  const child = spawn("git", args, { cwd: repository, stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed += text;
  });
  await once(child, "close");
  return printed;
}

function excerpt(printed, maxLines) {
  const lines = printed.trim().replaceAll(repository, ".").replaceAll("```", "'''").split("\n");
  const left = lines.length - maxLines;
  return (left > 0 ? [`… ${left} lines before …`, ...lines.slice(-maxLines)] : lines).join("\n");
}
