import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApiPorts } from "../../api/ports.ts";
import { MeshError } from "../../base/errors.ts";

/** Puts the rules of one of the mesh's own files into the store, as `fairway apply` does; those that are there already stay. */
export async function applyFile(
  { prepare, store }: Pick<ApiPorts, "prepare" | "store">,
  { dir, file }: { readonly dir: string; readonly file: string },
): Promise<void> {
  const path = join(dir, file);
  const text = await readFile(path, "utf8");
  const proposed = {
    puts: [{ text, format: "yaml", source: { file: path, line: 1 }, expect: { kind: "absent" } }],
    deletes: [],
    by: "fairway dev",
    reason: "the example mesh",
    // What it routes to may have been edited away.
    allowDangling: true,
  } as const;
  await prepare(proposed, async (prepared) => {
    // A directory that has the rule already is as good.
    if (!prepared.ok && prepared.refusal === "managed-elsewhere") return;
    if (!prepared.ok) throw new MeshError("internal/failed", `${path} has errors`);
    await store.write(prepared.change);
  });
}
