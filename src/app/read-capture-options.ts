import {
  type AddressRange,
  type CaptureOptions,
  type Family,
  families,
  type PortRange,
} from "../agent/capture-options.ts";
import { MeshError } from "../base/errors.ts";
import { type FlagValues, flagValue } from "../cli/command.ts";
import { isIpv4, isIpv6 } from "../model/ip-address.ts";

/** The options of `fairway agent capture`. Throws `usage/invalid` that names every fault. */
export function readCaptureOptions(flags: FlagValues): CaptureOptions {
  const problems: string[] = [];
  const one = <T>(name: string, flag: string, kind: Kind<T>): T => {
    const text = flagValue(flags, name) ?? "";
    const value = kind.parse(text);
    if (value === undefined) problems.push(`${flag}: expected ${kind.expected}, found ${JSON.stringify(text)}`);
    return value as T;
  };
  const list = <T>(name: string, flag: string, kind: Kind<T>): readonly T[] =>
    itemsOf(flagValue(flags, name)).flatMap((text) => {
      const value = kind.parse(text);
      if (value === undefined) problems.push(`${flag}: expected ${kind.expected}, found ${JSON.stringify(text)}`);
      return value === undefined ? [] : [value];
    });
  const all = <T>(name: string, flag: string, kind: Kind<T>): "all" | readonly T[] =>
    flagValue(flags, name) === "*" ? "all" : list(name, flag, kind);

  const options: CaptureOptions = {
    mode: flagValue(flags, "mode") === "tproxy" ? "tproxy" : "redirect",
    inboundPort: one("inboundPort", "--inbound-port", port),
    outboundPort: one("outboundPort", "--outbound-port", port),
    includeInboundPorts: all("includeInboundPorts", "--include-inbound-ports", portRange),
    excludeInboundPorts: list("excludeInboundPorts", "--exclude-inbound-ports", portRange),
    includeOutboundPorts: list("includeOutboundPorts", "--include-outbound-ports", portRange),
    excludeOutboundPorts: list("excludeOutboundPorts", "--exclude-outbound-ports", portRange),
    includeOutboundRanges: all("includeOutboundRanges", "--include-outbound-ranges", addressRange),
    excludeOutboundRanges: list("excludeOutboundRanges", "--exclude-outbound-ranges", addressRange),
    excludeInterfaces: list("excludeInterfaces", "--exclude-interfaces", interfaceName),
    proxyUid: one("proxyUid", "--proxy-uid", id),
    proxyGid: one("proxyGid", "--proxy-gid", id),
    excludeUids: list("excludeUids", "--exclude-uids", id),
    excludeGids: list("excludeGids", "--exclude-gids", id),
    mark: one("mark", "--mark", mark),
    families: list("families", "--families", family),
  };
  if (itemsOf(flagValue(flags, "families")).length === 0) problems.push("--families: expected ipv4, ipv6 or both");
  if (problems.length > 0) {
    throw new MeshError("usage/invalid", problems.join("\n  "), {
      hint: "`fairway agent capture --help` shows examples.",
    });
  }
  return options;
}

const itemsOf = (text = ""): readonly string[] =>
  text.trim() === "" ? [] : text.split(",").map((item) => item.trim());

interface Kind<T> {
  readonly expected: string;
  /** undefined: this is none. */
  readonly parse: (text: string) => T | undefined;
}

function numberIn(text: string, least: number, most: number): number | undefined {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}

const port: Kind<number> = { expected: "a port (1 to 65535)", parse: (text) => numberIn(text, 1, 65_535) };

const portRange: Kind<PortRange> = {
  expected: "a port (1 to 65535) or a range of ports (8000-8100)",
  parse(text) {
    const [from = "", to = from, ...more] = text.split("-");
    const first = port.parse(from);
    const last = port.parse(to);
    return first !== undefined && last !== undefined && first <= last && more.length === 0
      ? { first, last }
      : undefined;
  },
};

const prefixLengths: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 };

const addressRange: Kind<AddressRange> = {
  expected: "an address range (10.0.0.0/8, 2001:db8::/32)",
  parse(text) {
    const [address = "", length, ...more] = text.split("/");
    const family = isIpv4(address) ? "ipv4" : isIpv6(address) ? "ipv6" : undefined;
    if (family === undefined || more.length > 0) return undefined;
    const most = prefixLengths[family];
    const bits = length === undefined ? most : numberIn(length, 0, most);
    return bits === undefined ? undefined : { family, text: `${address}/${bits}` };
  },
};

/** The largest one stands for "none" in the kernel. */
const id: Kind<number> = { expected: "the number of a user or group", parse: (text) => numberIn(text, 0, 2 ** 32 - 2) };

const mark: Kind<number> = {
  expected: "a number from 1 to 4294967295",
  parse: (text) => numberIn(text, 1, 2 ** 32 - 1),
};

/** As the kernel takes it; a `+` at the end stands for any ending, for iptables. */
const interfaceName: Kind<string> = {
  expected: "the name of a network interface",
  parse: (text) =>
    /^[\w.@:-]{1,15}$|^[\w.@:-]{1,14}\+$/.test(text) && text !== "." && text !== ".." && !text.startsWith("-")
      ? text
      : undefined,
};

const family: Kind<Family> = {
  expected: "ipv4 or ipv6",
  parse: (text) => families.find((one) => one === text),
};
