import { isIP } from "node:net";

/** Is this host name or address one of the machine itself? `localhost`, names below it, 127.0.0.0/8 and ::1. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  const address = name.startsWith("::ffff:") ? name.slice("::ffff:".length) : name;
  if (isIP(address) === 4) return address.startsWith("127.");
  if (isIP(name) === 6) return name === "::1" || name === "0:0:0:0:0:0:0:1";
  return name === "localhost" || name.endsWith(".localhost");
}

/** The host of a `Host` header, without its port and brackets; undefined when the header is malformed. */
export function hostOf(header: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]@/\s]+))(?::[0-9]{1,5})?$/.exec(header) ?? [];
  return bracketed ?? plain;
}
