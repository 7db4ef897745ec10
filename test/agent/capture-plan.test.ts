import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commands } from "../../src/app/commands.ts";
import { fairway } from "../cli/terminal.ts";

const capture = (line: string) => fairway(["agent", "capture", ...line.split(" ")], {}, commands);

const everything = [
  "--inbound-port 16006 --outbound-port 16001 --include-inbound-ports 80,8000-8100 --exclude-inbound-ports 22,8080",
  "--include-outbound-ports 443 --exclude-outbound-ports 25,5000-5100 --include-outbound-ranges 10.0.0.0/8,fd00::/8",
  "--exclude-outbound-ranges 10.1.0.0/16,fd01::1 --exclude-interfaces eth1,cni+ --proxy-uid 101 --proxy-gid 102",
  "--exclude-uids 0,1001 --exclude-gids 1002 --mark 77",
].join(" ");

describe("what would be set", () => {
  test.each([
    ["redirect", "--mode redirect"],
    ["tproxy", "--mode tproxy"],
    ["everything", everything],
    ["nothing-included", "--families ipv4 --include-inbound-ports= --include-outbound-ranges="],
  ])("%s", async (name, line) => {
    const { exit, out, err } = await capture(`--dry-run ${line}`);
    expect([exit, err]).toEqual([0, ""]);
    await expect(out).toMatchFileSnapshot(join(import.meta.dirname, `expected/${name}.txt`));
  });

  test("as JSON, with the reasons", async () => {
    const { exit, out } = await capture("--dry-run --mode tproxy --families ipv6 -o json");
    expect(exit).toBe(0);
    const { families } = JSON.parse(out);
    expect(families).toHaveLength(1);
    expect(families[0]).toMatchObject({ family: "ipv6" });
    expect(families[0].rules[0]).toEqual({
      table: "nat",
      chain: "OUTPUT",
      args: ["-p", "tcp", "-m", "tcp", "--tcp-flags", "FIN,SYN,RST,ACK", "SYN", "-j", "FAIRWAY_OUTBOUND"],
      why: "connections of this workload",
    });
    expect(families[0].commands).toEqual([
      "ip -6 route add local default dev lo table 15006".split(" "),
      "ip -6 addr add ::6/128 dev lo nodad preferred_lft 0".split(" "),
      "ip -6 rule add pref 15006 from all fwmark 0x539 lookup 15006".split(" "),
    ]);
  });
});

describe("wrong use is told by the flag", () => {
  const port = "expected a port (1 to 65535)";
  const ports = `${port} or a range of ports (8000-8100)`;
  const range = "expected an address range (10.0.0.0/8, 2001:db8::/32)";
  test.each([
    ["--inbound-port 0", `--inbound-port: ${port}, found "0"`],
    ["--outbound-port 65536", `--outbound-port: ${port}, found "65536"`],
    ["--include-inbound-ports 80,*", `--include-inbound-ports: ${ports}, found "*"`],
    ["--exclude-inbound-ports 80,,81", `--exclude-inbound-ports: ${ports}, found ""`],
    ["--exclude-inbound-ports 1-2-3", `--exclude-inbound-ports: ${ports}, found "1-2-3"`],
    ["--include-outbound-ports 9-8", `--include-outbound-ports: ${ports}, found "9-8"`],
    ["--exclude-outbound-ports http", `--exclude-outbound-ports: ${ports}, found "http"`],
    ["--include-outbound-ranges 10.0.0.0/33", `--include-outbound-ranges: ${range}, found "10.0.0.0/33"`],
    ["--exclude-outbound-ranges *", `--exclude-outbound-ranges: ${range}, found "*"`],
    ["--exclude-outbound-ranges fd00::/129", `--exclude-outbound-ranges: ${range}, found "fd00::/129"`],
    ["--exclude-outbound-ranges 10.0.0.0/8/8", `--exclude-outbound-ranges: ${range}, found "10.0.0.0/8/8"`],
    ["--exclude-interfaces eth0;x", '--exclude-interfaces: expected the name of a network interface, found "eth0;x"'],
    ["--exclude-interfaces=-j", '--exclude-interfaces: expected the name of a network interface, found "-j"'],
    ["--proxy-uid envoy", '--proxy-uid: expected the number of a user or group, found "envoy"'],
    ["--exclude-uids 4294967295", '--exclude-uids: expected the number of a user or group, found "4294967295"'],
    ["--mark 0", '--mark: expected a number from 1 to 4294967295, found "0"'],
    ["--families ipv5", '--families: expected ipv4 or ipv6, found "ipv5"'],
    ["--families=", "--families: expected ipv4, ipv6 or both"],
  ])("%s", async (line, problem) => {
    // A dry run, so that a wrong answer costs nothing.
    expect(await capture(`--dry-run ${line}`)).toEqual({
      exit: 2,
      out: "",
      err: `fairway: ${problem}\n  \`fairway agent capture --help\` shows examples.\n`,
    });
  });

  test("every fault at once", async () => {
    const { exit, err } = await capture("--dry-run --inbound-port x --mark y");
    expect(exit).toBe(2);
    expect(err).toMatch(/^fairway: --inbound-port: .*\n {2}--mark: .*\n {2}`fairway/);
  });

  test("--remove has nothing to show beforehand", async () => {
    expect(await capture("--remove --dry-run")).toMatchObject({ exit: 2, out: "" });
  });
});
