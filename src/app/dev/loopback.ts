import { randomInt } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

/** Linux answers on all of 127.0.0.0/8; this part of it is seldom used by others. */
const blockOfAddresses = "127.0.71";

/**
 * `count` (1 to 254) addresses of this machine that nobody outside reaches: all different where the system lets programs
 * listen on them, so that a proxy is not taken for an instance of some service, else 127.0.0.1 for everyone.
 */
export async function loopbackAddresses(count: number): Promise<readonly string[]> {
  const addresses = Array.from({ length: count }, (_, index) => `${blockOfAddresses}.${index + 1}`);
  try {
    await freePorts(addresses.map((address) => ({ address })));
    return addresses;
  } catch {
    return addresses.map(() => "127.0.0.1");
  }
}

export interface PortWish {
  readonly address: string;
  /** Taken when it is free, so that people find the same address again the next time. */
  readonly preferred?: number;
}

/**
 * Where a port is chosen: below those that systems hand out by themselves (Linux from 32768, macOS from 49152), so that no
 * outgoing connection takes it before it is used.
 */
const choice = { from: 20_000, to: 32_000, attempts: 20 } as const;

/** Chosen before, perhaps not in use yet. */
const given = new Set<number>();

/**
 * A free port for each wish, all different on one address; what is not preferred was never given before. Nothing holds them: use
 * them soon. Rejects with the system's error.
 */
export async function freePorts(wishes: readonly PortWish[]): Promise<readonly number[]> {
  const servers: Server[] = [];
  try {
    // One after the other: of two equal wishes the first one gets the port.
    for (const wish of wishes) servers.push(await listenWhereFree(wish));
    const ports = servers.map((server) => (server.address() as AddressInfo).port);
    for (const port of ports) given.add(port);
    return ports;
  } finally {
    await Promise.all(servers.map((server) => once(server.close(), "close")));
  }
}

async function listenWhereFree({ address, preferred }: PortWish): Promise<Server> {
  const chosen = Array.from({ length: choice.attempts }, () => randomInt(choice.from, choice.to)).filter(
    (port) => !given.has(port),
  );
  for (const port of preferred === undefined ? chosen : [preferred, ...chosen]) {
    const server = await listenOn(address, port).catch(() => undefined);
    if (server !== undefined) return server;
  }
  return listenOn(address, 0);
}

async function listenOn(host: string, port: number): Promise<Server> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  await once(server, "listening");
  return server;
}
