import type { CaptureOptions, Family, PortRange } from "./capture-options.ts";
import { noRouting, type RoutingState, routeTable } from "./routing-state.ts";

export type TableName = "nat" | "mangle";

/** All our chains begin with it, and nobody else's: that is how what is ours is told apart. */
export const chainPrefix = "FAIRWAY_";

/** One rule. Those of the kernel's own chains (`PREROUTING`, `OUTPUT`) only lead into ours. */
export interface PlannedRule {
  readonly table: TableName;
  readonly chain: string;
  readonly args: readonly string[];
  readonly why: string;
}

/** All that capture is in one family; the rules of a chain in their order. */
export interface FamilyPlan {
  readonly family: Family;
  readonly rules: readonly PlannedRule[];
  readonly routing: RoutingState;
}

interface FamilyFacts {
  /** What never leaves the machine. */
  readonly loopback: string;
  /** The proxy calls the application from this address when it does not know the port's listener: this must not come back to it. */
  readonly passthroughSource: string;
}

const facts: Readonly<Record<Family, FamilyFacts>> = {
  ipv4: { loopback: "127.0.0.0/8", passthroughSource: "127.0.0.6/32" },
  ipv6: { loopback: "::1/128", passthroughSource: "::6/128" },
};

/** Of the proxy itself, for who looks after it: metrics of all, health, its own metrics. They are never captured. */
export const proxyPorts: readonly number[] = [15_020, 15_021, 15_090];

const inbound = `${chainPrefix}INBOUND`;
const outbound = `${chainPrefix}OUTBOUND`;
const returnPath = `${chainPrefix}RETURN_PATH`;

/** Without their chain, as long as they are being gathered. */
type Body = readonly (readonly [why: string, ...args: string[]])[];

export function planFor(options: CaptureOptions, family: Family): FamilyPlan {
  return {
    family,
    rules: rulesFor[options.mode](options, family),
    routing: {
      selectors: options.mode === "tproxy" ? [`fwmark 0x${options.mark.toString(16)} lookup ${routeTable}`] : [],
      hasRoute: options.mode === "tproxy",
      hasAddress: family === "ipv6",
    },
  };
}

/** What is there when nothing is captured. */
export const emptyPlan = (family: Family): FamilyPlan => ({ family, rules: [], routing: noRouting });

const rulesFor = {
  redirect: (options: CaptureOptions, family: Family): readonly PlannedRule[] => [
    ...inChain("nat", "PREROUTING", [inboundHook]),
    ...inChain("nat", "OUTPUT", [outboundHook]),
    ...inChain("nat", inbound, inboundBody(options, redirectTo(options.inboundPort))),
    ...inChain("nat", outbound, outboundBody(options, family)),
  ],
  tproxy: (options: CaptureOptions, family: Family): readonly PlannedRule[] => [
    ...inChain("nat", "OUTPUT", [outboundHook]),
    // A call that never leaves the machine passes no TPROXY: it is redirected in this mode too.
    ...inChain("nat", inbound, inboundBody(options, redirectTo(options.inboundPort))),
    ...inChain("nat", outbound, outboundBody(options, family)),
    ...inChain("mangle", "PREROUTING", [inboundHook]),
    ...inChain("mangle", "OUTPUT", [["the application's answers to the proxy", "-p", "tcp", "-j", returnPath]]),
    ...inChain("mangle", inbound, [
      ["what comes by lo has been decided on its way out", "-i", "lo", "-j", "RETURN"],
      ...inboundBody(options, ["-j", "TPROXY", "--on-port", String(options.inboundPort)]),
    ]),
    ...inChain("mangle", returnPath, returnPathBody(options)),
  ],
} as const;

/**
 * Only what opens a connection, in the words of `iptables-save`. Where nothing else tracks connections the kernel begins to with our rules, and takes the next packet
 * of every connection that is there already for a new one's first.
 */
const opening = ["-p", "tcp", "-m", "tcp", "--tcp-flags", "FIN,SYN,RST,ACK", "SYN"] as const;

const inboundHook = ["connections to this workload, from outside", ...opening, "-j", inbound] as const;
const outboundHook = ["connections of this workload", ...opening, "-j", outbound] as const;

const inChain = (table: TableName, chain: string, body: Body): readonly PlannedRule[] =>
  body.map(([why, ...args]) => ({ table, chain, args, why }));

const redirectTo = (port: number): readonly string[] => ["-j", "REDIRECT", "--to-ports", String(port)];

/** Connections to this workload; `take` is what becomes of those that are captured. */
function inboundBody(options: CaptureOptions, take: readonly string[]): Body {
  const { includeInboundPorts: included, excludeInboundPorts, excludeInterfaces } = options;
  return [
    ["what is only forwarded is not for this workload", "-m", "addrtype", "!", "--dst-type", "LOCAL", "-j", "RETURN"],
    ...excludeInterfaces.map((name) => ["excluded interface", "-i", name, "-j", "RETURN"] as const),
    ...proxyPorts.map((port) => ["a port of the proxy itself", ...toPort(single(port)), "-j", "RETURN"] as const),
    ...excludeInboundPorts.map((range) => ["excluded inbound port", ...toPort(range), "-j", "RETURN"] as const),
    ...(included === "all"
      ? [["all other ports", "-p", "tcp", ...take] as const]
      : included.map((range) => ["included inbound port", ...toPort(range), ...take] as const)),
  ];
}

/** Connections of this workload. The proxy's own come first, so that it never gets to itself what it sends. */
function outboundBody(options: CaptureOptions, family: Family): Body {
  const { loopback, passthroughSource } = facts[family];
  const proxy = [
    ["--uid-owner", String(options.proxyUid)],
    ["--gid-owner", String(options.proxyGid)],
  ] as const;
  const inFamily = (ranges: CaptureOptions["excludeOutboundRanges"]) => ranges.filter((one) => one.family === family);
  const take = redirectTo(options.outboundPort);
  const { includeOutboundRanges: included } = options;
  return [
    ["the proxy calls the application", "-s", passthroughSource, "-o", "lo", "-j", "RETURN"],
    ...(options.mode === "tproxy"
      ? [
          [
            "the proxy calls the application as its client",
            "-m",
            "mark",
            "--mark",
            hex(options.mark),
            "-j",
            "RETURN",
          ] as const,
        ]
      : []),
    ...options.excludeInterfaces.map((name) => ["excluded interface", "-o", name, "-j", "RETURN"] as const),
    ...proxy.map(
      ([flag, id]) =>
        [
          "the proxy was led to this workload itself: inbound, as from outside",
          ...["!", "-d", loopback, "-o", "lo", "-p", "tcp", ...owner(flag, id), "-j", inbound],
        ] as const,
    ),
    ...proxy.map(([flag, id]) => ["the proxy's own connections", ...owner(flag, id), "-j", "RETURN"] as const),
    ...options.excludeUids.map((id) => ["excluded user", ...owner("--uid-owner", id), "-j", "RETURN"] as const),
    ...options.excludeGids.map((id) => ["excluded group", ...owner("--gid-owner", id), "-j", "RETURN"] as const),
    ["the application calls itself", "-o", "lo", "-j", "RETURN"],
    ...options.excludeOutboundPorts.map(
      (range) => ["excluded outbound port", ...toPort(range), "-j", "RETURN"] as const,
    ),
    ...inFamily(options.excludeOutboundRanges).map(
      ({ text }) => ["excluded outbound range", "-d", text, "-j", "RETURN"] as const,
    ),
    ...options.includeOutboundPorts.map((range) => ["included outbound port", ...toPort(range), ...take] as const),
    ...(included === "all"
      ? [["all other addresses", "-p", "tcp", ...take] as const]
      : inFamily(included).map(({ text }) => ["included outbound range", "-d", text, "-p", "tcp", ...take] as const)),
  ];
}

/**
 * The application answers to the client's address, which the proxy has taken on; by the main route that answer would leave the machine. The mark leads it to `lo`.
 * TPROXY itself needs no mark, since what it takes is for an address of this machine anyway.
 */
const returnPathBody = ({ mark }: CaptureOptions): Body => [
  [
    "remember which connections the proxy opened as its client",
    ...["-m", "mark", "--mark", hex(mark), "-j", "CONNMARK", "--save-mark"],
  ],
  [
    "lead the answers back to the proxy",
    ...[
      "-m",
      "conntrack",
      "--ctdir",
      "REPLY",
      "-m",
      "connmark",
      "--mark",
      hex(mark),
      "-j",
      "CONNMARK",
      "--restore-mark",
    ],
  ],
];

const toPort = ({ first, last }: PortRange): readonly string[] => [
  ...["-p", "tcp", "--dport"],
  first === last ? String(first) : `${first}:${last}`,
];

const single = (port: number): PortRange => ({ first: port, last: port });

const owner = (flag: string, id: number | string): readonly string[] => ["-m", "owner", flag, String(id)];

const hex = (mark: number): string => `0x${mark.toString(16)}`;
