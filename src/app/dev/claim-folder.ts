import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MeshError } from "../../base/errors.ts";

const markFile = "dev.pid";

/**
 * Makes the folder when it is missing and marks it as this process's own, until the returned function is called. Throws
 * `usage/invalid` when it cannot be written, or while another process has it: two meshes would overwrite each other's files.
 */
export async function claimFolder(dir: string): Promise<() => Promise<void>> {
  const mark = join(dir, markFile);
  try {
    await mkdir(dir, { recursive: true });
    const owner = await ownerOf(mark);
    if (owner !== undefined) throw taken(dir, owner);
    await writeFile(mark, `${process.pid}\n`);
  } catch (cause) {
    throw cause instanceof MeshError ? cause : notWritable(dir, cause);
  }
  return () => rm(mark, { force: true });
}

/** The live process that the mark names, other than this one. A process that was killed leaves its mark. */
async function ownerOf(mark: string): Promise<number | undefined> {
  const text = await readFile(mark, "utf8").catch(() => "");
  const pid = Number(/^\d+$/.exec(text.trim())?.[0]);
  return pid > 0 && pid !== process.pid && isAlive(pid) ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const taken = (dir: string, pid: number): MeshError =>
  new MeshError("usage/invalid", `process ${pid} runs \`fairway dev\` in ${dir} already`, {
    hint: `End it, or name another directory with --data. If it is none, remove ${join(dir, markFile)}.`,
  });

const notWritable = (dir: string, cause: unknown): MeshError =>
  new MeshError("usage/invalid", `cannot write to the directory ${dir}: ${reasonOf(cause)}`, {
    hint: "Name another one with --data.",
    cause,
  });

const reasons: ReadonlyMap<string, string> = new Map([
  ["EACCES", "not permitted"],
  ["EPERM", "not permitted"],
  ["EROFS", "the file system is read-only"],
  ["ENOTDIR", "a part of the path is a file"],
  ["EEXIST", "it is a file"],
  ["ENOSPC", "the disk is full"],
]);

function reasonOf(cause: unknown): string {
  const { code = "", message = String(cause) } = cause as NodeJS.ErrnoException;
  return reasons.get(code) ?? message;
}
