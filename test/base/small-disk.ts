import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MeshError } from "../../src/base/errors.ts";
import { openDatabase } from "../../src/base/open-database.ts";
import { type TestProcedures, worker } from "./database-fixture.ts";

/** Runs in a mount namespace of its own; argument: a file system of 1 MiB. Prints what it saw as JSON. */
const dir = process.argv[2] ?? "";
const file = join(dir, "words.db");
const told = ({ code, message }: MeshError) => ({ code, message });
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => told(MeshError.from(error)),
  );

const ballast = join(dir, "ballast");
writeFileSync(ballast, Buffer.alloc(256 * 1024));
const database = await openDatabase<TestProcedures>({ file, worker });
let answered = 0;
let full: ReturnType<typeof told> | undefined;
while (full === undefined && answered < 1_000) {
  full = await failure(database.call("add", `${answered} ${"x".repeat(10_000)}`));
  if (full === undefined) answered++;
}
const together = await Promise.all([1, 2, 3].map((n) => failure(database.call("add", `${n} ${"y".repeat(10_000)}`))));
const kept = await database.call("count", undefined);
rmSync(ballast);
const after = await database.call("add", "z".repeat(10_000));
await database.close();

execFileSync("mount", ["-o", "remount,ro", dir]);
const readOnly = await failure(openDatabase({ file, worker }));
const fresh = await failure(openDatabase({ file: join(dir, "new.db"), worker }));
console.log(
  JSON.stringify({ answered, full, together: together.map((error) => error?.code), kept, after, readOnly, fresh }),
);
