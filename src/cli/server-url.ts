import { formatHostPort, parseHostPort } from "../base/host-port.ts";

/** The root of an API, from `http(s)://…` or `host:port`; ends with a slash. Undefined for what is no such address. */
export function serverUrl(given: string): URL | undefined {
  const address = parseHostPort(given);
  const whole = address === undefined ? given : `http://${formatHostPort(address)}`;
  const url = URL.parse(whole.endsWith("/") ? whole : `${whole}/`);
  const isAddress = url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "";
  return isAddress ? url : undefined;
}

/** Does this address lead to this very machine, and to it alone? */
export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/.test(hostname);
}

export const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === "https:" ? 443 : 80));
