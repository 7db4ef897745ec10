import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startControlPlane } from "../../src/app/control-plane.ts";
import { MeshError } from "../../src/base/errors.ts";
import { createLog } from "../../src/base/log.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";

/** A server in a mount namespace of its own; arguments: a small file system, and a catalog. Lines of its input fill the disk and clear it. */
const [disk = "", catalog = ""] = process.argv.slice(2);
const ballast = join(disk, "ballast");
const loopback = { host: "127.0.0.1", port: 0 };

const start = (folder: string) =>
  startControlPlane({
    rules: [],
    catalog: [catalog],
    mesh: defaultMeshSettings,
    store: { kind: "sqlite", folder },
    xds: loopback,
    api: loopback,
    metrics: loopback,
    log: createLog({ level: "silent", format: "json", write: () => {} }),
  });

function fill(): void {
  const file = openSync(ballast, "w");
  try {
    for (const size of [65_536, 1]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size));
      } catch {
        // No room for so much.
      }
    }
  } finally {
    closeSync(file);
  }
}

/** What a server says that is started on a file system which nobody may write. */
async function startReadOnly(): Promise<object> {
  const other = join(disk, "other");
  mkdirSync(other);
  writeFileSync(join(other, "catalog.yaml"), "services: []\n");
  execFileSync("mount", ["--bind", other, other]);
  execFileSync("mount", ["-o", "remount,bind,ro", other]);
  return start(join(other, "data")).then(
    () => ({}),
    (error: unknown) => {
      const { code, message, hint } = MeshError.from(error);
      return { code, message, hint };
    },
  );
}

const plane = await start(join(disk, "data"));
const token = await plane.ports.tokens.create({ name: "root", role: "admin" }, "test");
const say = (value: unknown): void => void writeSync(1, `${JSON.stringify(value)}\n`);
say({ listens: plane.listens, token });
const commands: Readonly<Record<string, () => unknown>> = {
  fill,
  clear: () => rmSync(ballast),
  "start read-only": startReadOnly,
};
for await (const line of createInterface({ input: process.stdin })) say((await commands[line]?.()) ?? "done");
await plane.stop();
