import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePorts, loopbackAddresses } from "../../src/app/dev/loopback.ts";
import { isOpen } from "../support/process.ts";

test("addresses are this machine's own, and different where the system allows it", async () => {
  const addresses = await loopbackAddresses(8);
  expect(addresses).toHaveLength(8);
  for (const address of addresses) expect(address).toMatch(/^127\.\d+\.\d+\.\d+$/);
  if (process.platform === "linux") expect(new Set(addresses).size).toBe(8);
  // Somebody can listen on each.
  expect(await freePorts(addresses.map((address) => ({ address })))).toHaveLength(8);
});

test("ports on one address are all different, and free", async () => {
  const address = "127.0.0.1";
  const ports = await freePorts(Array.from({ length: 20 }, () => ({ address })));
  expect(new Set(ports).size).toBe(20);
  // Not those that outgoing connections are given.
  expect(Math.max(...ports)).toBeLessThan(32_768);
  for (const port of ports) expect(await isOpen(`${address}:${port}`)).toBe(false);
});

test("a preferred port is taken when it is free", async ({ onTestFinished }) => {
  const address = "127.0.0.1";
  const [preferred = 0] = await freePorts([{ address }]);
  expect(await freePorts([{ address, preferred }])).toEqual([preferred]);
  const [first, second] = await freePorts([
    { address, preferred },
    { address, preferred },
  ]);
  expect([first === preferred, second === preferred]).toEqual([true, false]);

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(preferred, address, resolve));
  onTestFinished(() => {
    server.close();
  });
  const [other] = await freePorts([{ address, preferred }]);
  expect(other).not.toBe(preferred);
});

test("an address of another machine has no ports", async () => {
  await expect(freePorts([{ address: "192.0.2.1" }])).rejects.toThrow("EADDRNOTAVAIL");
});
