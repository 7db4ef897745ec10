import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { executableOnPath } from "../../src/app/envoy/executable.ts";

const tools = ["cat", "grep", "mkdir", "sed", "sleep"];

export interface FakeCommands {
  readonly dir: string;
  /** The folder of the commands, for a PATH; the few tools that scripts need are there too, and nothing else is. */
  readonly bin: string;
  /** Adds a command: the body of a shell script. Returns its path. */
  readonly add: (name: string, body: string) => string;
  /** What the commands wrote with `echo … >> "$CALLS"`. */
  readonly calls: () => readonly string[];
}

/** A temporary folder with shell scripts in the place of real commands; removed at the end of the test. */
export function fakeCommands({ onTestFinished }: Pick<TestContext, "onTestFinished">): FakeCommands {
  const dir = mkdtempSync(join(tmpdir(), "fairway-fake-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const bin = join(dir, "bin");
  const callsFile = join(dir, "calls");
  mkdirSync(bin);
  writeFileSync(callsFile, "");
  for (const tool of tools) {
    const real = executableOnPath(tool, process.env["PATH"]);
    if (real) symlinkSync(real, join(bin, tool));
  }
  return {
    dir,
    bin,
    add(name, body) {
      const file = join(bin, name);
      writeFileSync(file, `#!/bin/sh\nCALLS=${callsFile}\n${body}\n`);
      chmodSync(file, 0o755);
      return file;
    },
    calls: () =>
      readFileSync(callsFile, "utf8")
        .split("\n")
        .filter((line) => line !== ""),
  };
}

/** The body of a command that calls itself an Envoy of this version. */
export const sayVersion = (version: string): string =>
  `echo; echo "envoy  version: 0abc/${version}/Clean/RELEASE/BoringSSL"`;
