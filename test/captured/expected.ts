import { expect } from "vitest";
import type { CaptureMode } from "../../src/agent/capture-options.ts";
import { type Addresses, addressesOf, type Family } from "./network.ts";
import type { Call } from "./peers/exchange.ts";
import type { Hop } from "./pod.ts";
import { client, hostOf, outside, type Place, type ServicePlan } from "./services.ts";

/** Who answers, what it took the call for, whom it saw, and the way there; or why there is no answer. */
export type Expected = Answered | { readonly failed: string; readonly hops: readonly Hop[] };

interface Answered {
  /** One of them. */
  readonly by: readonly Place[];
  readonly as: string;
  readonly seen: Seen;
  readonly hops: (by: string) => readonly Hop[];
}

export type Policy = "ALLOW_ANY" | "REGISTRY_ONLY";

export interface Case {
  readonly name: string;
  readonly from: Place;
  readonly call: (family: Family) => Call;
  readonly expected: Readonly<Record<Policy, Expected>>;
}

/**
 * Whom a server sees as its caller: the client; or what its sidecar makes of it, with REDIRECT an address that stands for all clients. A
 * client's sidecar chooses among all addresses of a service, so the family may be another than that of the call.
 */
type Seen = "client" | "loopback" | "by sidecar";

export const loopback: Addresses = { ipv4: "127.0.0.1", ipv6: "::1" };

const redirected: Addresses = { ipv4: "127.0.0.6", ipv6: "::6" };

export interface Circumstances {
  readonly mode: CaptureMode;
  /** Of the mesh. */
  readonly families: readonly Family[];
  readonly family: Family;
  readonly from: Place;
}

const seenAs: Readonly<Record<Seen, (circumstances: Circumstances) => readonly string[]>> = {
  client: ({ from, family }) => [addressesOf(from.number)[family]],
  loopback: ({ family }) => [loopback[family]],
  "by sidecar": ({ mode, from, families }) => {
    const addresses = mode === "redirect" ? redirected : addressesOf(from.number);
    return families.map((family) => addresses[family]);
  },
};

/** For `toEqual`; `who` answered. */
export function wanted(expected: Expected, circumstances: Circumstances, who: string | undefined): unknown {
  if ("failed" in expected) return { result: { failed: expected.failed }, hops: expected.hops };
  const { by, as, seen, hops } = expected;
  const names = by.map(({ name }) => name);
  const [first = ""] = names;
  return {
    result: { who: expect.toBeOneOf(names), peer: expect.toBeOneOf([...seenAs[seen](circumstances)]), as },
    hops: hops(who !== undefined && names.includes(who) ? who : first).toSorted(),
  };
}

export type Level = "http" | "tcp";

/** What a sidecar hands to its application; `target`: the port there. */
export const inbound =
  (level: Level, target: number) =>
  (pod: string): Hop =>
    `${pod} ${level} inbound|${target}||`;

export const inboundPassthrough = (pod: string): Hop => `${pod} tcp InboundPassthroughCluster`;

const outbound = (level: Level, service: ServicePlan, port: number) => (): Hop =>
  `${client.name} ${level} outbound|${port}||${hostOf(service.name)}`;

const passthrough = (level: Level) => (): Hop => `${client.name} ${level} PassthroughCluster`;

/** Whatever the policy is. */
const always = (expected: Expected): Case["expected"] => ({ ALLOW_ANY: expected, REGISTRY_ONLY: expected });

const taking =
  (...hops: readonly ((by: string) => Hop)[]): Answered["hops"] =>
  (by) =>
    hops.map((hop) => hop(by));

/** Both sidecars know the service. `by`: default all its pods. */
export function known(
  level: Level,
  as: string,
  service: ServicePlan,
  port: number,
  by = service.pods,
): Case["expected"] {
  const target = service.ports.find(({ number }) => number === port)?.target ?? port;
  return always({ by, as, seen: "by sidecar", hops: taking(outbound(level, service, port), inbound(level, target)) });
}

/** No sidecar has to do with it. */
export const direct = (as: string, seen: Seen): Case["expected"] => always({ by: [client], as, seen, hops: taking() });

/** Somebody without sidecar calls a pod. */
export const arriving = (as: string, pod: Place, hop: (by: string) => Hop): Case["expected"] =>
  always({ by: [pod], as, seen: "by sidecar", hops: taking(hop) });

/** The client's sidecar does not know where it goes to; `there`: what a sidecar there makes of it. */
export const unknown = (
  as: string,
  by: Place = outside,
  ...there: readonly ((by: string) => Hop)[]
): Case["expected"] => ({
  ALLOW_ANY: {
    ...{ by: [by], as, seen: by === outside ? "client" : "by sidecar" },
    hops: taking(passthrough("tcp"), ...there),
  },
  REGISTRY_ONLY: { failed: "closed", hops: [`${client.name} tcp BlackHoleCluster`] },
});

/** The same, of a request whose host is unknown at a port that is known. */
export const unknownHost: Case["expected"] = {
  ALLOW_ANY: { by: [outside], as: "HTTP/1.1", seen: "client", hops: taking(passthrough("http")) },
  REGISTRY_ONLY: { failed: "502", hops: [] },
};
