import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { chmod, lstat, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Writes a file that only its owner can read, as a whole or not at all, and to the disk. What stood there is replaced; a
 * symbolic link is replaced too, never followed. A text in parts is written part by part, each made when the one before is written.
 * Throws what the file system says.
 */
export async function writePrivateFile(path: string, text: string | Iterable<string>): Promise<void> {
  const folder = dirname(path);
  const beside = join(folder, `.${basename(path)}.${randomUUID()}`);
  try {
    const file = await open(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await writeFile(file, text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  const parent = await open(folder, constants.O_RDONLY);
  await parent.sync().finally(() => parent.close());
}

/**
 * The text of such a file; undefined when there is none. Throws for a symbolic link, for what is no plain file, and for one
 * that is larger than `maxBytes`.
 */
export async function readPrivateFile(path: string, maxBytes: number): Promise<string | undefined> {
  // Without waiting for a writer, should it be a pipe.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error.code === "ELOOP" ? new Error(`${path} is a symbolic link`, { cause: error }) : error;
  });
  if (file === undefined) return undefined;
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Error(`${path} is no plain file`);
    if (found.size > maxBytes) throw new Error(`${path} is larger than ${maxBytes} bytes`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(found.size), 0, found.size, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Makes a folder that only its owner can enter, with those above it; one that is there already is closed to others. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const found = await lstat(path);
  if (!found.isDirectory()) throw new Error(`${path} is a symbolic link`);
  if ((found.mode & 0o077) !== 0) await chmod(path, 0o700);
}
