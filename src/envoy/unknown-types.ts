import type { JsonValue } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { TypedStructSchema } from "../gen/xds/type/v3/typed_struct_pb.ts";
import { messageTypes } from "./pack.ts";

/** Proto JSON in which what is packed and of a type that we do not know is a `TypedStruct`, which says the same: so it can be read. */
export function withKnownTypes(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(withKnownTypes);
  if (typeof json !== "object" || json === null) return json;
  const { "@type": typeUrl, ...value } = json;
  if (typeof typeUrl === "string" && messageTypes.getMessage(typeNameIn(typeUrl)) === undefined) {
    return { "@type": `type.googleapis.com/${TypedStructSchema.typeName}`, typeUrl, value };
  }
  return Object.fromEntries(Object.entries(json).map(([name, field]) => [name, withKnownTypes(field)]));
}

/** The full name of the packed message's type. */
export function packedType(any: Any): string {
  const inside = typeNameIn(any.typeUrl) === TypedStructSchema.typeName ? anyUnpack(any, TypedStructSchema) : undefined;
  return typeNameIn(inside?.typeUrl ?? any.typeUrl);
}

const typeNameIn = (typeUrl: string): string => typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
