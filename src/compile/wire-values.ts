import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import { type Address, AddressSchema } from "../gen/envoy/config/core/v3/address_pb.ts";
import { ApiVersion, type ConfigSource, ConfigSourceSchema } from "../gen/envoy/config/core/v3/config_source_pb.ts";

/** Small values that many messages need. */

export function duration(ms: number): Duration {
  return create(DurationSchema, { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 });
}

export function socketAddress(address: string, port: number): Address {
  return create(AddressSchema, {
    address: { case: "socketAddress", value: { address, portSpecifier: { case: "portValue", value: port } } },
  });
}

/** Over the stream that this resource came by. Without a fetch timeout of its own: Envoy's 15 s end a wait that nobody answers. */
export function overAds(): ConfigSource {
  return create(ConfigSourceSchema, {
    configSourceSpecifier: { case: "ads", value: {} },
    resourceApiVersion: ApiVersion.V3,
  });
}

/** The largest limit: no limit. */
export const unlimited = 0xffff_ffff;

/** Where a listener is: at the first address, and at others besides. */
export const listenAddresses = ([first = "", ...others]: readonly string[], port: number) => ({
  address: socketAddress(first, port),
  additionalAddresses: others.map((address) => ({ address: socketAddress(address, port) })),
});
