import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { createResourceSet, type Resource, type ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";

/** A resource for tests of the wire: its name where its type has it (field 1 in the four that are compiled), its content in a field nobody knows. */
export function wireResource(type: TypeName, name: string, version: string, content = version): Resource {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string(name);
  const references = type === "CDS" ? [{ type: "EDS" as const, name }] : [];
  const bytes = writer.tag(1_000, WireType.LengthDelimited).string(content).finish();
  return { type, name, version, bytes, references, provenance: () => [] };
}

/** Versions by name, for each type. */
export type Versions = Readonly<Partial<Record<TypeName, Readonly<Record<string, string>>>>>;

export const wireSet = (versions: Versions): ResourceSet =>
  createResourceSet(
    resourceTypes.flatMap(({ short }) =>
      Object.entries(versions[short] ?? {}).map(([name, version]) => wireResource(short, name, version)),
    ),
  );

/** Name and content of the bytes of a `wireResource`, or the name alone of any resource of the four types. */
export function readWireResource(bytes: Uint8Array): { readonly name: string; readonly content: string } {
  const reader = new BinaryReader(bytes);
  let [name, content] = ["", ""];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) name = reader.string();
    else if (field === 1_000) content = reader.string();
    else reader.skip(wireType);
  }
  return { name, content };
}
