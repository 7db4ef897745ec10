import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { fairway } from "./terminal.ts";

/** What bash offers after a line, with `fairway context list -o name` answering two names. */
async function offered(line: string): Promise<readonly string[]> {
  const { out } = await fairway("completion bash");
  const words = line.split(" ");
  const script = `${out}
fairway() { printf 'prod\\nlab\\n'; }
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length - 1}
_fairway
printf '%s\\n' "\${COMPREPLY[@]}"
`;
  const printed = execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8", cwd: "test/cli/fixtures" });
  return printed.split("\n").filter((word) => word !== "");
}

test("bash takes the script", async () => {
  const { out, exit } = await fairway("completion bash");
  expect(exit).toBe(0);
  execFileSync("bash", ["-n", "-c", out]);
});

test.each([
  ["fairway ap", ["apply"]],
  ["fairway proxy", ["proxy-config"]],
  ["fairway token ", ["create", "list", "revoke"]],
  ["fairway token create ci --role ", ["viewer", "editor", "admin"]],
  ["fairway get virtual", ["virtualservice", "virtualservices"]],
  ["fairway get -n shop v", ["virtualservice", "virtualservices", "vs"]],
  ["fairway get vs -o ", ["text", "wide", "json", "yaml"]],
  ["fairway get vs --al", ["--all-namespaces"]],
  ["fairway get vs --context ", ["prod", "lab"]],
  ["fairway context use p", ["prod"]],
  ["fairway proxy-config web-1 ro", ["routes"]],
  ["fairway apply -f val", ["valid.yaml"]],
  ["fairway check --catalog ca", ["catalog.yaml"]],
  ["fairway check val", ["valid.yaml"]],
  ["fairway completion ", ["bash", "zsh", "fish"]],
  ["fairway nonsense ", []],
])("%s", async (line, words) => {
  expect(await offered(line)).toEqual(words);
});

test.each(["zsh", "fish"])("there is a script for %s", async (shell) => {
  const { out, exit } = await fairway(`completion ${shell}`);
  expect(exit).toBe(0);
  for (const word of ["proxy-config", "all-namespaces", "virtualservices", "context list -o name"])
    expect(out).toContain(word);
});

test("no other shell", async () => {
  expect(await fairway("completion tcsh")).toEqual({
    exit: 2,
    out: "",
    err: 'fairway: there is no completion for "tcsh"\n  Say bash, zsh or fish.\n',
  });
});
