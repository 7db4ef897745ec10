import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { executableOnPath } from "../../src/app/envoy/executable.ts";
import { call, capture, direct, done, type Lab, makeLab, modes, nets, others, startApp, stateOf, url } from "./lab.ts";

/** What other programs have set: before ours, after ours, and one that only speaks of ours. */
const foreign = [
  "*nat",
  ":KUBE-SERVICES - [0:0]",
  "-A PREROUTING -j KUBE-SERVICES",
  '-A KUBE-SERVICES -m comment --comment "not -j FAIRWAY_INBOUND" -j RETURN',
  "COMMIT",
  "*mangle",
  "-A PREROUTING -p udp -j MARK --set-mark 7",
  "COMMIT",
  "",
].join("\n");

async function setForeign({ workload }: Lab): Promise<void> {
  for (const command of ["iptables-restore", "ip6tables-restore"]) {
    await workload.run("sh", "-c", `printf '%s' '${foreign}' | ${command} --noflush`);
  }
  for (const family of ["-4", "-6"]) await workload.run("ip", family, "rule", "add", "fwmark", "7", "lookup", "main");
}

describe("what is there", () => {
  test("set again it is the same; other options replace it; what others have set stays", {
    timeout: 60_000,
  }, async (context) => {
    const lab = await makeLab(context);
    await setForeign(lab);
    const before = await stateOf(lab);

    expect(await capture(lab)).toEqual({ ...done, out: "ipv4: captured\nipv6: captured\n" });
    const redirected = await stateOf(lab);
    for (const command of ["iptables", "ip6tables"]) {
      await lab.workload.run(command, "-t", "nat", "-A", "PREROUTING", "-p", "udp", "-j", "RETURN");
    }
    const between = await stateOf(lab);
    expect(await capture(lab)).toEqual({ ...done, out: "ipv4: captured, as before\nipv6: captured, as before\n" });
    expect(await stateOf(lab)).toBe(between);

    expect(await capture(lab, "--mode tproxy --mark 77 --exclude-inbound-ports 22")).toMatchObject(done);
    const transparent = await stateOf(lab);
    expect(transparent).toContain("fwmark 0x4d lookup 15006");
    expect(transparent.match(/^-A PREROUTING .*FAIRWAY_INBOUND$/gm)).toHaveLength(2);
    expect(await capture(lab, "--mode tproxy --mark 78 --families ipv4 -o json")).toMatchObject({
      ...done,
      out: `${JSON.stringify(
        {
          mode: "tproxy",
          families: [
            { family: "ipv4", captured: true, changed: true },
            { family: "ipv6", captured: false, changed: true },
          ],
        },
        undefined,
        2,
      )}\n`,
    });
    expect(await lab.workload.run("ip6tables-save")).not.toContain("-A FAIRWAY");
    expect(await lab.workload.run("ip", "rule", "show")).toMatch(/0x4e lookup 15006/);
    expect(await lab.workload.run("ip", "rule", "show")).not.toMatch(/0x4d/);

    for (const command of ["iptables", "ip6tables"]) {
      await lab.workload.run(command, "-t", "nat", "-D", "PREROUTING", "-p", "udp", "-j", "RETURN");
    }
    expect(await capture(lab)).toMatchObject(done);
    expect(await stateOf(lab)).toBe(redirected);
    expect(await capture(lab, "--remove")).toMatchObject({
      ...done,
      out: "ipv4: no longer captured\nipv6: no longer captured\n",
    });
    expect(await stateOf(lab)).toBe(before);
    expect(await capture(lab, "--remove")).toMatchObject({
      ...done,
      out: "ipv4: not captured, as before\nipv6: not captured, as before\n",
    });
    expect(await stateOf(lab)).toBe(before);
  });

  test.for(modes)("a dry run prints what is set (%s)", { timeout: 60_000 }, async (mode, context) => {
    const lab = await makeLab(context);
    const options = [
      `--mode ${mode} --include-inbound-ports 80,8000-8100 --exclude-inbound-ports 22 --include-outbound-ports 443`,
      `--exclude-outbound-ports 25-26 --include-outbound-ranges ${others} --exclude-outbound-ranges ${others}`,
      "--exclude-interfaces eth1,cni+ --exclude-uids 1001 --exclude-gids 1002 --mark 77",
    ].join(" ");
    const { out } = await capture(lab, `--dry-run ${options}`);
    const [ipv4 = "", ipv6 = ""] = out.split(/^(?=# ipv6)/m);
    for (const [text, command] of [
      [ipv4, "iptables-restore"],
      [ipv6, "ip6tables-restore"],
    ] as const) {
      await lab.workload.run("sh", "-c", `printf '%s' "$1" | ${command} --noflush`, "sh", text);
    }
    for (const [, line = ""] of out.matchAll(/^# ip (.*)$/gm)) await lab.workload.run("ip", ...line.split(" "));
    const byHand = await stateOf(lab);
    expect(await capture(lab, options)).toEqual({
      ...done,
      out: "ipv4: captured, as before\nipv6: captured, as before\n",
    });
    expect(await stateOf(lab)).toBe(byHand);
  });

  test("iptables of the older kind does as well", { timeout: 60_000 }, async (context) => {
    const lab = await makeLab(context);
    const legacy = (name: string) => executableOnPath(name.replace("tables", "tables-legacy"), process.env["PATH"]);
    const names = ["iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore"];
    if (!names.every(legacy)) context.skip("there is no iptables-legacy");
    const env = commandsWith(context, Object.fromEntries(names.map((name) => [name, `exec ${legacy(name)} "$@"`])));
    const rules = async () =>
      (await Promise.all(["iptables-legacy-save", "ip6tables-legacy-save"].map((command) => lab.workload.run(command))))
        .join("")
        .split("\n")
        .filter((line) => line.includes("FAIRWAY"));
    await startApp(lab.workload, "app", [8080]);
    expect(await capture(lab, "", { env })).toMatchObject(done);
    const set = await rules();
    expect(set.length).toBeGreaterThan(20);
    for (const { own } of nets)
      expect(await call(lab.outside, {}, url(own, 8080))).toEqual([{ failed: "ECONNREFUSED" }]);
    expect(await capture(lab, "", { env })).toEqual({
      ...done,
      out: "ipv4: captured, as before\nipv6: captured, as before\n",
    });
    expect(await rules()).toEqual(set);
    expect(await capture(lab, "--mode tproxy", { env })).toMatchObject(done);
    expect(await capture(lab, "--remove", { env })).toMatchObject(done);
    expect(await rules()).toEqual([]);
    for (const { own, outside } of nets)
      expect(await call(lab.outside, {}, url(own, 8080))).toEqual([direct("app", outside)]);
  });

  /** The system's commands, of which some do something else. */
  function commandsWith(context: TestContext, scripts: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    const dir = mkdtempSync(join(tmpdir(), "fairway-commands-"));
    context.onTestFinished(() => rm(dir, { recursive: true }));
    for (const name of ["ip", "iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore"]) {
      const real = executableOnPath(name, process.env["PATH"]) ?? "";
      if (scripts[name] === undefined) symlinkSync(real, join(dir, name));
      else if (scripts[name] !== "") {
        writeFileSync(join(dir, name), `#!/bin/sh\nreal=${real}\n${scripts[name]}\n`, { mode: 0o755 });
      }
    }
    return { ...process.env, PATH: dir };
  }

  test.for([
    ["tables", { "ip6tables-restore": "/bin/cat > /dev/null; echo 'no luck' >&2; exit 4" }],
    ["routing", { ip: 'case "$*" in "-6 rule add"*) echo "no luck" >&2; exit 2;; esac; exec "$real" "$@"' }],
  ] as const)(
    "when the last part fails (%s), all is as it was before",
    { timeout: 60_000 },
    async ([, scripts], context) => {
      const lab = await makeLab(context);
      await setForeign(lab);
      const env = commandsWith(context, scripts);
      for (const line of [undefined, "--include-inbound-ports 8080"]) {
        if (line !== undefined) expect(await capture(lab, line)).toMatchObject(done);
        await lab.workload.run("iptables", "-t", "nat", "-A", "PREROUTING", "-p", "udp", "-j", "RETURN");
        const before = await stateOf(lab);
        const outcome = await capture(lab, "--mode tproxy", { env });
        expect(outcome).toMatchObject({ exit: 1, out: "" });
        expect(outcome.err).toContain("no luck");
        expect(await stateOf(lab)).toBe(before);
      }
    },
  );

  test("what it needs and does not have is told, and nothing is done", { timeout: 60_000 }, async (context) => {
    const lab = await makeLab(context);
    const before = await stateOf(lab);
    expect(await capture(lab, "", { env: commandsWith(context, { "ip6tables-save": "" }) })).toEqual({
      exit: 2,
      out: "",
      err: "fairway: there is no command `ip6tables-save`\n  Install iptables and iproute2, or add their folder (/usr/sbin) to the PATH.\n",
    });
    const noModule =
      "echo \"ip6tables-save: can't initialize ip6tables table 'nat': Table does not exist\" >&2; exit 3";
    const without = commandsWith(context, { "ip6tables-save": noModule });
    expect(await capture(lab, "", { env: without })).toMatchObject({
      exit: 2,
      out: "",
      err: expect.stringContaining("needs a part of the kernel that is not there"),
    });
    // The rights of root, but for those over the network.
    const as = ["setpriv", "--bounding-set", "-net_admin,-net_raw"];
    expect(await capture(lab, "", { as })).toMatchObject({
      exit: 2,
      out: "",
      err: expect.stringContaining("Run it as root, or with the capabilities NET_ADMIN and NET_RAW.\n"),
    });
    expect(await stateOf(lab)).toBe(before);

    // A family that nobody asks for may be missing.
    expect(await capture(lab, "--families ipv4", { env: without })).toEqual({ ...done, out: "ipv4: captured\n" });
    expect(await capture(lab, "--remove", { env: without })).toEqual({ ...done, out: "ipv4: no longer captured\n" });
  });

  test("where IPv6 is switched off there is no address to add", { timeout: 60_000 }, async (context) => {
    const lab = await makeLab(context);
    await lab.workload.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
    expect(await capture(lab)).toEqual({ ...done, out: "ipv4: captured\nipv6: captured\n" });
    expect(await capture(lab)).toEqual({ ...done, out: "ipv4: captured, as before\nipv6: captured, as before\n" });
    expect(await stateOf(lab)).not.toContain("::6/128 scope");
    expect(await capture(lab, "--remove")).toMatchObject(done);
  });
});
