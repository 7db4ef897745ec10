import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

/** A file's whole text. `file` is spelled as the caller spelled the path that led to it. */
export interface FileText {
  readonly kind: "text";
  readonly file: string;
  readonly text: string;
}

/** A file (or a path) that could not be taken; the message is a whole sentence for people. */
export interface FileProblem {
  readonly kind: "problem";
  readonly file: string;
  readonly problem: "missing" | "unreadable" | "too-large" | "too-many" | "not-text";
  readonly message: string;
}

export type FileRead = FileText | FileProblem;

export interface ReadLimits {
  readonly maxFileBytes: number;
  /** Files beyond this number are left out, with a problem on their path. */
  readonly maxFiles: number;
}

export const defaultReadLimits: ReadLimits = { maxFileBytes: 16 * 1024 * 1024, maxFiles: 10_000 };

/** Which files of a directory are meant; a path that names a file itself is always taken. */
export type FileMatch = (fileName: string) => boolean;

export const isYamlOrJson: FileMatch = (name) => /\.(ya?ml|json)$/i.test(name);

export interface ReadFilesOptions {
  /** Files and directories; directories are read with all that is below them, hidden entries left out. */
  readonly paths: readonly string[];
  readonly match?: FileMatch;
  readonly limits?: ReadLimits;
}

/** What is there, without contents: the cheap look that a watcher repeats. */
export interface Listing {
  /** In the order of the given paths, then of the names; a file that two paths lead to appears once. */
  readonly files: readonly ListedFile[];
  /** The directories in which a change would change this listing, with their identity. */
  readonly directories: ReadonlyMap<string, string>;
  readonly problems: readonly FileProblem[];
}

export interface ListedFile {
  readonly file: string;
  readonly sizeBytes: number;
  /** Another text whenever the file was written or replaced (inode, size, times). */
  readonly signature: string;
}

const maxDepth = 32;
const parallelReads = 32;

/** Reads all files once, in the order of the listing; problems come at the end. Never throws for what it finds on disk. */
export async function readFiles(options: ReadFilesOptions): Promise<readonly FileRead[]> {
  const { files, problems } = await listFiles(options);
  const { maxFileBytes } = options.limits ?? defaultReadLimits;
  const reads: FileRead[] = [];
  for (let start = 0; start < files.length; start += parallelReads) {
    const chunk = files.slice(start, start + parallelReads);
    reads.push(...(await Promise.all(chunk.map(({ file }) => readText(file, maxFileBytes)))));
  }
  return [...reads, ...problems];
}

export async function listFiles({ paths, match = isYamlOrJson, limits }: ReadFilesOptions): Promise<Listing> {
  const { maxFiles } = limits ?? defaultReadLimits;
  const files = new Map<string, ListedFile>();
  const directories = new Map<string, string>();
  const entered = new Set<string>();
  const problems: FileProblem[] = [];

  const visit = async (path: string, depth: number): Promise<void> => {
    const found = await stat(path, { bigint: true });
    if (found.isDirectory()) {
      const identity = `${found.dev}:${found.ino}`;
      // A directory entered before ends a loop of symbolic links.
      if (entered.has(identity) || depth > maxDepth) return;
      entered.add(identity);
      directories.set(path, identity);
      for (const name of (await readdir(path)).sort()) {
        if (!name.startsWith(".")) await visitEntry(join(path, name), name, depth + 1);
      }
      return;
    }
    if (!found.isFile()) {
      problems.push({
        kind: "problem",
        file: path,
        problem: "unreadable",
        message: "It is neither a file nor a directory.",
      });
      return;
    }
    if (files.has(resolve(path))) return;
    if (files.size >= maxFiles) {
      if (problems.at(-1)?.problem !== "too-many") {
        problems.push({
          kind: "problem",
          file: path,
          problem: "too-many",
          message: `There are more than ${maxFiles} files; this one and those after it are left out.`,
        });
      }
      return;
    }
    const signature = `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
    files.set(resolve(path), { file: path, sizeBytes: Number(found.size), signature });
  };

  const visitEntry = async (path: string, name: string, depth: number): Promise<void> => {
    try {
      const isDirectory = (await stat(path)).isDirectory();
      if (isDirectory || match(name)) await visit(path, depth);
    } catch (error) {
      // Gone between the listing and the look: as if it had never been there.
      if (codeOf(error) !== "ENOENT" && match(name)) problems.push(problemOf(path, error));
    }
  };

  for (const path of paths) {
    try {
      await visit(path, 0);
    } catch (error) {
      problems.push(problemOf(path, error));
    }
    if (!directories.has(path)) await noteParent(path, directories);
  }
  return { files: [...files.values()], directories, problems };
}

/** A single file is watched through its directory, because editors replace files. */
async function noteParent(path: string, directories: Map<string, string>): Promise<void> {
  const parent = dirname(path);
  const found = await stat(parent, { bigint: true }).catch(() => undefined);
  if (found?.isDirectory()) directories.set(parent, `${found.dev}:${found.ino}`);
}

async function readText(file: string, maxFileBytes: number): Promise<FileRead> {
  try {
    // One byte more than allowed tells a file that is too large, also one that grows while it is read.
    const chunks: Buffer[] = [];
    for await (const chunk of createReadStream(file, { end: maxFileBytes })) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    if (bytes.length > maxFileBytes) {
      return { kind: "problem", file, problem: "too-large", message: `It is larger than ${maxFileBytes} bytes.` };
    }
    return { kind: "text", file, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (error) {
    if (error instanceof TypeError) {
      return { kind: "problem", file, problem: "not-text", message: "It is not UTF-8 text." };
    }
    return problemOf(file, error);
  }
}

function problemOf(file: string, error: unknown): FileProblem {
  const code = codeOf(error);
  if (code === "ENOENT" || code === "ENOTDIR") {
    return {
      kind: "problem",
      file,
      problem: "missing",
      message: `There is no file or directory ${basename(file)} here.`,
    };
  }
  const reason = code === "EACCES" || code === "EPERM" ? "permission denied" : code || String(error);
  return { kind: "problem", file, problem: "unreadable", message: `It cannot be read: ${reason}.` };
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
