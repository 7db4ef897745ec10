/** An address to listen on or to connect to. */
export interface HostPort {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose where something listens. */
  readonly port: number;
}

/** Parses `host:port`, `[::1]:port`, or a port alone (then the host is 127.0.0.1); undefined for anything else. */
export function parseHostPort(text: string): HostPort | undefined {
  const found = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):)?([0-9]{1,5})$/.exec(text);
  if (found === null) return undefined;
  const [, bracketed, plain, digits = ""] = found;
  const port = Number(digits);
  return port <= 65_535 ? { host: bracketed ?? plain ?? "127.0.0.1", port } : undefined;
}

/** The inverse of `parseHostPort`. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
