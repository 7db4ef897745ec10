import { type CliIo, type CommandInput, type ExitCode, flagValue } from "./command.ts";
import { resourcesJson } from "./compiled-json.ts";
import { readNodeFile } from "./node-file.ts";
import { offlineMesh } from "./offline.ts";
import { wantsJson, writeJson } from "./output.ts";
import { styleFor } from "./style.ts";
import { explainField, formatField } from "./why.ts";

/** Compiles for one proxy, and prints what it gets or why. */
export async function compile({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const node = await readNodeFile(flagValue(flags, "node") ?? "");
  const { ruleSet, hasRefused, resourcesFor } = await offlineMesh(flags, io);
  const resources = resourcesFor(node);
  const pointer = flagValue(flags, "why");
  if (pointer === undefined) {
    writeJson(io, resourcesJson(resources));
    return hasRefused ? 1 : 0;
  }
  const field = explainField(resources, ruleSet, pointer);
  if (wantsJson(flags)) writeJson(io, field);
  else io.out(await formatField(field, styleFor(io)));
  return hasRefused || field.origins.length === 0 ? 1 : 0;
}
