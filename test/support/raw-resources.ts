import { createHash } from "node:crypto";
import {
  create,
  createFileRegistry,
  createRegistry,
  fromJson,
  type JsonObject,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  file_google_protobuf_struct,
} from "@bufbuild/protobuf/wkt";
import { messageTypes } from "../../src/envoy/pack.ts";
import { referencesOf } from "../../src/envoy/references.ts";
import { createResourceSet, type Resource, type ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";
import { file_envoy_extensions_transport_sockets_tls_v3_secret } from "../../src/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";

/* Resources as nobody compiles them, from proto JSON in Envoy's own words. */

/** What the packaged types lack: a name or type of field 1, and a struct in field 2, as two messages have it. */
function withStruct(packageName: string, message: string, text: string, struct: string): Registry {
  const field = (name: string, number: number, typeName?: string) => ({
    ...{ name, number, label: FieldDescriptorProto_Label.OPTIONAL },
    ...(typeName === undefined
      ? { type: FieldDescriptorProto_Type.STRING }
      : { type: FieldDescriptorProto_Type.MESSAGE, typeName }),
  });
  const file = create(FileDescriptorProtoSchema, {
    name: `test/${message}.proto`,
    package: packageName,
    syntax: "proto3",
    dependency: [file_google_protobuf_struct.proto.name],
    messageType: [{ name: message, field: [field(text, 1), field(struct, 2, ".google.protobuf.Struct")] }],
  });
  return createFileRegistry(file, () => file_google_protobuf_struct);
}

/** All that can stand in these resources. */
export const rawTypes: Registry = createRegistry(
  messageTypes,
  file_envoy_extensions_transport_sockets_tls_v3_secret,
  withStruct("envoy.service.runtime.v3", "Runtime", "name", "layer"),
  withStruct("xds.type.v3", "TypedStruct", "type_url", "value"),
);

/** The configuration of an extension that we have no message for; Envoy reads it all the same. */
export const typedStruct = (typeUrl: string, value: JsonObject = {}): JsonObject => ({
  "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
  type_url: `type.googleapis.com/${typeUrl}`,
  value,
});

/** A resource of this type; throws for what is not of it. */
export function rawResource(type: TypeName, json: JsonObject): Resource {
  const schema = rawTypes.getMessage(resourceType(type).url.slice("type.googleapis.com/".length));
  if (schema === undefined) throw new Error(`no message for ${type}`);
  const bytes = toBinary(schema, fromJson(schema, json, { registry: rawTypes }));
  return {
    type,
    name: String(json["cluster_name"] ?? json["name"]),
    version: createHash("sha256").update(bytes).digest("hex").slice(0, 16),
    bytes,
    references: referencesOf(type, bytes),
    provenance: () => [],
  };
}

/** A set of them; versions of endpoints cover their cluster, as those of compiled ones do. */
export function rawSet(resources: readonly Resource[]): ResourceSet {
  const clusterOf = new Map(
    resources.flatMap(({ type, name, version }) => (type === "CDS" ? [[name, version] as const] : [])),
  );
  return createResourceSet(
    resources.map((resource) =>
      resource.type === "EDS"
        ? { ...resource, version: `${resource.version}-${clusterOf.get(resource.name) ?? ""}` }
        : resource,
    ),
  );
}
