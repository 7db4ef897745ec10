import { describe, expect, test } from "vitest";
import { planDialled } from "../../src/compile/outbound-plan.ts";
import { everyPort } from "../../src/compile/scope.ts";
import type { IpFamilies } from "../../src/model/ip-families.ts";
import { namesIn, planOf, type ServiceSpec, seen, settingsFor } from "../support/listener-plans.ts";

/* Which listeners a sidecar has for the services that it sees, by where its application dials them. */

const ipv4 = settingsFor("ipv4");

describe("where a service is listened for", () => {
  const spec = { name: "a", ports: [[9000, "tcp"]] } as const satisfies ServiceSpec;
  test.for<{ what: string; of: ServiceSpec; families?: IpFamilies; want: readonly string[] }>([
    {
      what: "TCP with addresses",
      of: { ...spec, addresses: ["10.96.0.1", "10.96.0.2"] },
      want: ["10.96.0.1_9000", "10.96.0.2_9000"],
    },
    { what: "TCP without", of: spec, want: ["0.0.0.0_9000"] },
    {
      what: "HTTP with an address",
      of: { ...spec, ports: [[80, "http"]], addresses: ["10.96.0.1"] },
      want: ["0.0.0.0_80"],
    },
    {
      what: "a network and an address",
      of: { ...spec, addresses: ["10.1.0.0/16", "10.96.0.1"] },
      want: ["10.96.0.1_9000", "0.0.0.0_9000"],
    },
    { what: "addresses of the other family", of: { ...spec, addresses: ["fd00::1", "fd00:1::/64"] }, want: [] },
    { what: "IPv6", of: { ...spec, addresses: ["fd00::1", "10.96.0.1"] }, families: "ipv6", want: ["fd00::1_9000"] },
    { what: "IPv6 without addresses", of: spec, families: "ipv6", want: ["::_9000"] },
    {
      what: "both families",
      of: { ...spec, addresses: ["fd00::1", "10.96.0.1"] },
      families: "dual",
      want: ["fd00::1_9000", "10.96.0.1_9000"],
    },
    { what: "UDP", of: { ...spec, ports: [[53, "udp"]] }, want: [] },
    {
      what: "headless TCP",
      of: { ...spec, headless: true, instances: ["10.0.0.2", "10.0.0.1", "fd00::5"] },
      want: ["10.0.0.1_9000", "10.0.0.2_9000"],
    },
    {
      what: "headless HTTP",
      of: { ...spec, ports: [[80, "http"]], headless: true, instances: ["10.0.0.2"] },
      want: ["0.0.0.0_80"],
    },
    { what: "headless without instances", of: { ...spec, headless: true }, want: [] },
    { what: "the port that the sidecar is on", of: { ...spec, ports: [[15_001, "tcp"]] }, want: [] },
  ])("$what", ({ of, families = "ipv4", want }) => {
    expect(namesIn(planOf([seen(of)], settingsFor(families)))).toEqual(want);
  });

  test("the listener for all addresses has both families, and is named by IPv4", () => {
    const { listeners } = planOf([seen(spec)], settingsFor("dual"));
    expect(listeners.map(({ binds }) => binds)).toEqual([["0.0.0.0", "::"]]);
  });

  test("a service on the sidecar's own port is told of, but not where it has an address", () => {
    const on = (port: number, addresses: readonly string[] = []) =>
      planOf([seen({ name: "a", ports: [[port, "tcp"]], addresses })], settingsFor("ipv4", { proxyListenPort: 7001 }));
    expect(on(7001).conflicts).toEqual([
      {
        ...{ type: "LDS", name: "0.0.0.0_7001", kind: "conflict" },
        reason: "the sidecar itself is on port 7001: a.example.com (tcp) cannot be listened for",
      },
    ]);
    expect(on(15_006).conflicts).toHaveLength(1);
    expect(on(15_001).conflicts).toEqual([]);
    expect(on(7001, ["10.96.0.1"])).toMatchObject({ conflicts: [], listeners: [{ binds: ["10.96.0.1"] }] });
  });

  test("an application that dials the sidecar has one listener for each port, whatever addresses there are", () => {
    const all = [
      seen({ name: "a", ports: [[9000, "tcp"]], addresses: ["10.96.0.1"] }),
      seen({ name: "b", ports: [[9000, "tls"]], addresses: ["10.1.0.0/16"] }),
      seen({ name: "c", ports: [[9001, "auto"]], headless: true, instances: ["10.0.0.1"] }),
    ];
    const plan = planDialled(
      all.flatMap(({ service: one }) => everyPort(one)),
      ipv4,
    );
    expect(namesIn(plan)).toEqual(["127.0.0.1_9000", "127.0.0.1_9001"]);
    expect(plan.listeners.map(({ captured, passesRest }) => captured || passesRest)).toEqual([false, false]);
    expect(plan.conflicts).toEqual([]);
  });

  test("nor is it listened for on the port of the HTTP proxy, which is on the same address", () => {
    const ports = everyPort(
      seen({
        name: "a",
        ports: [
          [15_002, "http"],
          [9000, "tcp"],
        ],
      }).service,
    );
    const plan = planDialled(ports, settingsFor("ipv4", { proxyHttpPort: 15_002 }));
    expect(namesIn(plan)).toEqual(["127.0.0.1_9000"]);
    expect(plan.conflicts).toMatchObject([
      { name: "127.0.0.1_15002", reason: expect.stringContaining("a.example.com (http)") },
    ]);
    expect(namesIn(planDialled(ports, ipv4))).toEqual(["127.0.0.1_15002", "127.0.0.1_9000"]);
  });
});
