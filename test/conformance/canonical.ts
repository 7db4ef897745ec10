import { createHash } from "node:crypto";
import { type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { ClusterSchema } from "../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { TypedExtensionConfigSchema } from "../../src/gen/envoy/config/core/v3/extension_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { VirtualHostSchema } from "../../src/gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../../src/gen/envoy/config/route/v3/route_pb.ts";
import { ScopedRouteConfigurationSchema } from "../../src/gen/envoy/config/route/v3/scoped_route_pb.ts";
import { SecretSchema } from "../../src/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";

/** Types without one here are compared byte by byte. */
const schemas: Readonly<Partial<Record<TypeName, DescMessage>>> = {
  CDS: ClusterSchema,
  EDS: ClusterLoadAssignmentSchema,
  LDS: ListenerSchema,
  RDS: RouteConfigurationSchema,
  SRDS: ScopedRouteConfigurationSchema,
  VHDS: VirtualHostSchema,
  SDS: SecretSchema,
  ECDS: TypedExtensionConfigSchema,
};

/** Equal for equal messages, in whatever order a server has written their fields. */
export function digestOf(type: TypeName, body: Uint8Array): string {
  const schema = schemas[type];
  const bytes = schema === undefined ? body : toBinary(schema, fromBinary(schema, body));
  return createHash("sha1").update(bytes).digest("base64url");
}
