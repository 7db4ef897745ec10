import { stat } from "node:fs/promises";
import { MeshError } from "../base/errors.ts";
import { readFiles } from "../base/read-files.ts";
import { readMeshSettings } from "../config/mesh-settings.ts";
import { defaultMeshSettings, type MeshSettings } from "../model/mesh-settings.ts";
import type { Flag } from "./command.ts";

/** The flags of commands that read what the server would read. */
export const catalogFlag: Flag = {
  flags: "--catalog <file...>",
  summary: "files or directories of services and instances",
};
export const meshFlag: Flag = { flags: "--mesh <file>", summary: "settings of the whole mesh" };

/** A path that is not there is a slip of the pen, not a finding. Throws `usage/invalid`. */
export async function expectPaths(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) {
      throw new MeshError("usage/invalid", `there is no file or directory ${path}`, {
        hint: "Paths are relative to the current directory.",
      });
    }
  }
}

/** The mesh settings in a file; no file: the defaults. Throws `input/invalid` with every problem. */
export async function meshSettingsIn(file: string | undefined): Promise<MeshSettings> {
  if (file === undefined) return defaultMeshSettings;
  await expectPaths([file]);
  const [read] = await readFiles({ paths: [file] });
  if (read?.kind !== "text") {
    throw new MeshError(
      "usage/invalid",
      `cannot read the mesh settings ${file}: ${read?.message ?? "It is a directory."}`,
    );
  }
  const result = readMeshSettings(file, read.text);
  if (result.ok) return result.settings;
  throw new MeshError(
    "input/invalid",
    `the mesh settings have problems\n${result.findings.map(problemLine).join("\n")}`,
  );
}

interface PlacedProblem {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint?: string;
}

/** `  file:line:column: message hint`, for lists of problems below an error. */
export function problemLine({ file, line, column, message, hint }: PlacedProblem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  return `  ${place}: ${message}${hint === undefined ? "" : ` ${hint}`}`;
}
