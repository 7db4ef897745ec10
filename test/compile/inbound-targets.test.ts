import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseTargets, type InboundTarget } from "../../src/compile/inbound.ts";
import { olderService } from "../../src/compile/listener-conflicts.ts";
import type { Protocol } from "../../src/model/port.ts";
import { serviceKey } from "../../src/model/service.ts";
import { host, service } from "../support/mesh.ts";

/* Several services of one workload: who says how connections to a port are taken. */

interface Wish {
  readonly name: string;
  readonly age?: number;
  readonly protocol: Protocol;
  /** The number that clients call. */
  readonly number?: number;
  /** The number that the workload listens on. */
  readonly target?: number;
}

/** The ports of each service, in its order. */
const listed = [81, 80, 443, 3306];

function targetOf({ name, age = 0, protocol, number = 80, target = 8080 }: Wish): InboundTarget {
  const hostname = host(`${name}.example.com`);
  const ports = listed.map((one) => ({ name: `p${one}`, number: one, protocol: "tcp" }) as const);
  const of = { ...service(name).service, hostname, key: serviceKey("shop", hostname), createdAt: age, ports };
  return { target, reachable: { service: of, port: { name: `p${number}`, number, protocol } } };
}

const choose = (...wishes: readonly Wish[]) => {
  const { targets, conflicts } = chooseTargets(wishes.map(targetOf));
  return {
    targets: targets.map(
      ({ target, reachable: { service: of, port } }) =>
        `${target} ${of.hostname.split(".")[0]}:${port.number} ${port.protocol}`,
    ),
    told: conflicts.map(({ reason }) => reason),
  };
};

describe("a port of the workload", () => {
  test("is taken as its service says; each has one, in order", () => {
    expect(
      choose(
        { name: "a", protocol: "tcp", target: 9000 },
        { name: "b", protocol: "http" },
        { name: "c", protocol: "auto", target: 443, number: 443 },
      ),
    ).toEqual({ targets: ["443 c:443 auto", "8080 b:80 http", "9000 a:80 tcp"], told: [] });
  });

  test("of UDP is not captured", () => {
    expect(choose({ name: "a", protocol: "udp" })).toEqual({ targets: [], told: [] });
    expect(choose({ name: "a", protocol: "udp" }, { name: "b", protocol: "tcp", age: 5 }).targets).toEqual([
      "8080 b:80 tcp",
    ]);
  });

  test.for<{ what: string; wishes: readonly [Wish, Wish]; want: string }>([
    {
      what: "the older one",
      wishes: [
        { name: "z", age: 1, protocol: "tcp" },
        { name: "a", age: 2, protocol: "http" },
      ],
      want: "port 8080 of the workload is taken as z.example.com (tcp) has it, not as a.example.com (http)",
    },
    {
      what: "of one age the first by name",
      wishes: [
        { name: "a", protocol: "auto" },
        { name: "z", protocol: "http" },
      ],
      want: "port 8080 of the workload is taken as a.example.com (auto) has it, not as z.example.com (http)",
    },
    {
      what: "of one service the port that it names first",
      wishes: [
        { name: "a", protocol: "tcp", number: 81 },
        { name: "a", protocol: "http", number: 80 },
      ],
      want: "port 8080 of the workload is taken as a.example.com (tcp) has it, not as a.example.com (http)",
    },
  ])("of several services is $what's", ({ wishes, want }) => {
    const [winner] = wishes;
    const won = `8080 ${winner.name}:${winner.number ?? 80} ${winner.protocol}`;
    expect(choose(...wishes)).toEqual({ targets: [won], told: [want] });
    expect(choose(...wishes.toReversed())).toEqual({ targets: [won], told: [want] });
  });

  test.for<{ what: string; protocols: readonly [Protocol, Protocol]; number?: number; target?: number; told: number }>([
    { what: "HTTP and gRPC are taken alike", protocols: ["http", "grpc"], told: 0 },
    { what: "TLS and TCP are", protocols: ["tls", "tcp"], told: 0 },
    { what: "HTTP and TCP are not", protocols: ["http", "tcp"], told: 1 },
    { what: "undeclared and TCP are not", protocols: ["auto", "tcp"], told: 1 },
    { what: "but they are where servers speak first", protocols: ["auto", "tcp"], target: 3306, told: 0 },
    { what: "whichever of the two numbers it is", protocols: ["auto", "tcp"], number: 3306, told: 0 },
  ])("$what", ({ protocols: [first, second], number = 80, target = 8080, told }) => {
    const chosen = choose(
      { name: "a", protocol: first, number, target },
      { name: "b", protocol: second, number, target },
    );
    expect(chosen.targets).toHaveLength(1);
    expect(chosen.told).toHaveLength(told);
  });
});

const protocols = ["http", "grpc", "tcp", "tls", "auto", "udp"] as const satisfies readonly Protocol[];
const wishes = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom("a", "b", "c"),
    age: fc.constant(0),
    protocol: fc.constantFrom(...protocols),
    number: fc.constantFrom(80, 81, 3306),
    target: fc.constantFrom(8080, 8081, 3306),
  }),
  // As `portsImplemented` has it: a port of a service may have several targets, each once.
  { maxLength: 8, selector: ({ name, number, target }) => `${name} ${number} ${target}` },
);

test("whatever order they come in, each port is the first service's that is not UDP", () => {
  const shuffled = wishes.chain((all) =>
    fc.record({ all: fc.constant(all), others: fc.shuffledSubarray(all, { minLength: all.length }) }),
  );
  fc.assert(
    fc.property(shuffled, ({ all, others }) => {
      const targets = all.map(targetOf);
      const chosen = chooseTargets(targets);
      expect(chooseTargets(others.map((one) => targetOf(one)))).toEqual(chosen);
      const captured = targets.filter(({ reachable }) => reachable.port.protocol !== "udp");
      expect(chosen.targets.map(({ target }) => target)).toEqual(
        [...new Set(captured.map(({ target }) => target))].sort((a, b) => a - b),
      );
      for (const { target, reachable } of chosen.targets) {
        for (const other of captured.filter((one) => one.target === target)) {
          expect(olderService(reachable.service, other.reachable.service)).toBeLessThanOrEqual(0);
        }
      }
    }),
  );
});
