import { describe, expect, test } from "vitest";
import { commandError, runCommand } from "../../src/agent/run-command.ts";

describe("a command that fails is told with what to do", () => {
  const kernel = /^Load its modules on the host/;
  const rights = /^Run it as root/;
  // As iptables 1.8 of both kinds and iproute2 write it.
  test.each([
    [
      "iptables-save v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)",
      rights,
    ],
    ["RTNETLINK answers: Operation not permitted", rights],
    ["iptables-legacy-save v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist", kernel],
    ["Warning: Extension TPROXY revision 0 not supported, missing kernel module?", kernel],
    ["line 9: RULE_APPEND failed (No such file or directory): rule in chain FAIRWAY_INBOUND", kernel],
    ["iptables-restore: line 7 failed: No chain/target/match by that name.", kernel],
    ["iptables-restore v1.8.9 (legacy): Couldn't load match `owner':No such file or directory", kernel],
    ["RTNETLINK answers: Address family not supported by protocol", kernel],
  ])("%s", (said, hint) => {
    const error = commandError("iptables-restore --noflush", { code: 4 }, `${said}\n`);
    expect(error).toMatchObject({ code: "capture/unavailable", hint: expect.stringMatching(hint) });
    expect(error.message).toContain(said);
  });

  test("in its own words, where there is nothing to add", () => {
    const restore = "iptables-restore --noflush";
    expect(commandError(restore, { code: 2 }, "Bad argument `x'\n")).toMatchObject({
      code: "capture/failed",
      message: "`iptables-restore --noflush` failed: Bad argument `x'",
    });
    expect(commandError(restore, { code: 3 }, "").message).toBe("`iptables-restore --noflush` failed: status 3");
    expect(commandError(restore, { code: null, killed: true }, "Another app").message).toContain(
      "did not end within 20 s",
    );
  });
});

describe("a real command", () => {
  test("gets its input, and its output is given", async () => {
    expect(await runCommand("cat", [], "some rules\n")).toBe("some rules\n");
  });

  test("may end without reading its input", async () => {
    expect(await runCommand("true", [], "x".repeat(1 << 20))).toBe("");
  });

  test("may not be there", async () => {
    await expect(runCommand("no-such-command", ["-x"])).rejects.toMatchObject({
      code: "capture/unavailable",
      message: "there is no command `no-such-command`",
    });
  });
});
