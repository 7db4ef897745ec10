import { accessSync, constants, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { type ErrorCode, MeshError } from "./errors.ts";

type Fault = "full" | "read-only" | "busy" | "corrupt" | "missing" | "failed";

/** SQLite's primary result codes that a person can do something about. */
const faults: ReadonlyMap<number, Fault> = new Map([
  [5, "busy"],
  [6, "busy"],
  [8, "read-only"],
  [11, "corrupt"],
  [13, "full"],
  [26, "corrupt"],
]);

/** They say that the system refused something, not what. */
const ioError = 10;
const cannotOpen = 14;

const texts: Readonly<
  Record<Fault, { readonly code: ErrorCode; readonly message: (file: string) => string; readonly hint: string }>
> = {
  full: {
    code: "store/full",
    message: (file) => `there is no room on the disk to write to ${file}`,
    hint: "Make room there. Nothing that was stored is lost, and writing works again as soon as there is room.",
  },
  "read-only": {
    code: "store/read-only",
    message: (file) => `${file} cannot be written: the file, its folder or its file system is read-only`,
    hint: "Give this user the right to write there, or mount the file system for writing.",
  },
  busy: {
    code: "store/busy",
    message: (file) => `another program holds ${file} for itself`,
    hint: "Try again; if it stays so, end the program that has the file open.",
  },
  corrupt: {
    code: "store/corrupt",
    message: (file) => `${file} is damaged, or no database`,
    hint: "Keep a copy of it, and restore a backup with `fairway store restore`.",
  },
  missing: {
    code: "store/failed",
    message: (file) => `${file} cannot be opened`,
    hint: "Check that its folder exists and that this user may read and write in it.",
  },
  failed: {
    code: "store/failed",
    message: (file) => `the database ${file} failed`,
    hint: "Nothing was written. Try again; if it stays so, look at the disk and at the log of the system.",
  },
};

/** Tells what SQLite, or the system below it, could not do with a file. A MeshError passes unchanged. */
export function databaseError(cause: unknown, file: string): MeshError {
  if (cause instanceof MeshError) return cause;
  const fault = faultOf(cause, file);
  const { code, message, hint } = texts[fault];
  const detail = fault === "full" || fault === "read-only" ? "" : `: ${detailOf(cause)}`;
  return new MeshError(code, `${message(file)}${detail}`, { hint, cause });
}

/** What is wrong with a file that can be read but is not what it should be. */
export function damaged(file: string, detail: string): MeshError {
  const { code, message, hint } = texts.corrupt;
  return new MeshError(code, `${message(file)}: ${detail}`, { hint });
}

function faultOf(cause: unknown, file: string): Fault {
  const { errcode, code } = cause as { readonly errcode?: number; readonly code?: string };
  if (code === "ENOSPC" || code === "EDQUOT") return "full";
  if (code === "EROFS" || code === "EACCES" || code === "EPERM") return "read-only";
  // Also what Node says of folders to be made on a read-only file system.
  if (code === "ENOENT") return faultOfPlace(file) ?? "missing";
  if (errcode === undefined) return "failed";
  const primary = errcode & 0xff;
  if (primary !== ioError && primary !== cannotOpen) return faults.get(primary) ?? "failed";
  return faultOfPlace(file) ?? (primary === cannotOpen ? "missing" : "failed");
}

function faultOfPlace(file: string): Fault | undefined {
  const folder = dirname(file);
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    // Less than what the next page and its entry in the log need.
    return bavail * bsize < 65_536 ? "full" : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EROFS" || code === "EACCES" ? "read-only" : undefined;
  }
}

const detailOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
