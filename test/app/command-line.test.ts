import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";

const main = join(import.meta.dirname, "../../src/app/main.ts");

test("Ctrl-C ends a command that waits for a server, and the loop of a shell around it", async ({ onTestFinished }) => {
  let asked = 0;
  const { promise: heard, resolve } = Promise.withResolvers<void>();
  // It never answers.
  const server = createServer(() => {
    asked++;
    resolve();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const loop = `until '${process.execPath}' '${main}' proxies --server ${address}; do :; done`;
  const shell = spawn("bash", ["-c", loop], { detached: true, stdio: "ignore" });
  onTestFinished(() => {
    shell.kill("SIGKILL");
  });
  await heard;
  process.kill(-(shell.pid ?? 0), "SIGINT");
  expect(await once(shell, "exit")).toEqual([null, "SIGINT"]);
  expect(asked).toBe(1);
});
