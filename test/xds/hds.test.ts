import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { createHds } from "../../src/xds/services/hds.ts";
import { connectSide, serveSide } from "../support/side-client.ts";

const schemas = { request: EmptySchema, answer: EmptySchema };

test.each(["StreamHealthCheck", "FetchHealthCheck"])("HDS-01 %s: not served, and says so", async (method) => {
  const { port, close } = await serveSide([createHds()]);
  const client = connectSide(port);
  try {
    const call = client.open(`/envoy.service.health.v3.HealthDiscoveryService/${method}`, schemas);
    call.send({});
    expect(await call.status()).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining("health discovery (HDS) is not served"),
    });
  } finally {
    client.close();
    close();
  }
});
