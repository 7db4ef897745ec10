import { describe, expect, test } from "vitest";
import { MeshError } from "../../src/base/errors.ts";
import { runCli } from "../../src/cli/cli.ts";
import { type Command, isGroup } from "../../src/cli/command.ts";
import { commands, fairway } from "./terminal.ts";

describe("help", () => {
  test("of the whole", async () => {
    const { exit, out, err } = await fairway("--help");
    expect([exit, err]).toEqual([0, ""]);
    await expect(out).toMatchFileSnapshot("expected/help.txt");
  });

  test.each(commands.map(({ name }) => name))("of %s", async (name) => {
    const { exit, out, err } = await fairway([name, "--help"]);
    expect([exit, err]).toEqual([0, ""]);
    expect(await fairway(["help", name])).toEqual({ exit, out, err });
    await expect(out).toMatchFileSnapshot(`expected/help-${name}.txt`);
  });

  test("of a command in a group", async () => {
    const { exit, out, err } = await fairway("token create --help");
    expect([exit, err]).toEqual([0, ""]);
    await expect(out).toMatchFileSnapshot("expected/help-token-create.txt");
  });

  const all = commands.flatMap((row) =>
    isGroup(row)
      ? row.commands.map((command) => [`${row.name} ${command.name}`, command] as const)
      : ([[row.name, row]] as const),
  );

  test.each(all)("%s has examples that it understands", (path, { examples }) => {
    expect(examples.length).toBeGreaterThan(0);
    for (const { line } of examples) expect(line).toContain(`fairway ${path}`);
  });

  test("the version", async () => {
    expect(await fairway("--version")).toEqual({ exit: 0, out: "1.2.3\n", err: "" });
  });
});

describe("wrong use is exit 2, told on standard error", () => {
  test.each([
    ["", /^Usage: fairway/],
    ["chek rules", /^fairway: unknown command 'chek'\n\(Did you mean check\?\)\n/],
    ["check", /^fairway: missing required argument 'path'\n {2}`fairway check --help` tells more\.\n$/],
    ["check rules --catlog x", /^fairway: unknown option '--catlog'\n\(Did you mean --catalog\?\)\n/],
    [
      "check rules -o xml",
      /^fairway: option '-o, --output <format>' argument 'xml' is invalid\. Allowed choices are text, json\./,
    ],
    ["compile", /^fairway: required option '--node <file>' not specified\n/],
    ["services a", /^fairway: too many arguments/],
    [
      "services --server ftp://x",
      /^fairway: "ftp:\/\/x" is no address of a server\n {2}For example http:\/\/127\.0\.0\.1:15080\.\n$/,
    ],
  ])("%s", async (line, message) => {
    const { exit, out, err } = await fairway(line);
    expect([exit, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
  });
});

describe("what a command comes to", () => {
  const command = (run: Command["run"]): Command => ({
    name: "try",
    summary: "try it",
    arguments: "[word...]",
    flags: [
      { flags: "--many <word...>", summary: "several" },
      { flags: "--log-level <word>", summary: "one" },
      { flags: "--yes", summary: "none" },
    ],
    examples: [],
    run,
  });
  const run = async (argv: readonly string[], action: Command["run"]) => {
    let err = "";
    const io = {
      out: () => {},
      err: (text: string) => {
        err += text;
      },
      env: {},
      now: () => 0,
      signal: new AbortController().signal,
    };
    return { exit: await runCli(argv, io, { commands: [command(action)], version: "1" }), err };
  };

  test("its own exit code", async () => {
    expect(await run(["try"], async () => 1)).toEqual({ exit: 1, err: "" });
  });

  test.each([
    ["input/invalid", 1],
    ["usage/invalid", 2],
    ["server/unreachable", 3],
  ] as const)("that of a failure: %s is %d", async (code, exit) => {
    const fail = async () => {
      throw new MeshError(code, "it did not work", { hint: "Do otherwise." });
    };
    expect(await run(["try"], fail)).toEqual({ exit, err: "fairway: it did not work\n  Do otherwise.\n" });
  });

  test("a defect of ours shows where it is", async () => {
    const { exit, err } = await run(["try"], async () => {
      throw new TypeError("x is undefined");
    });
    expect(exit).toBe(1);
    expect(err).toMatch(/^fairway: x is undefined\nTypeError: x is undefined\n {4}at /);
  });

  test("it is told arguments and flags by their names", async () => {
    let seen: unknown;
    await run(["try", "a", "b", "--many", "c", "d", "--many", "e", "--log-level", "f", "--yes"], async (input) => {
      seen = input;
      return 0;
    });
    expect(seen).toEqual({ arguments: ["a", "b"], flags: { many: ["c", "d", "e"], logLevel: "f", yes: true } });
  });
});
