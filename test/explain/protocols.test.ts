import type { JsonObject } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ask, clusterOf, configurationOf, endpoint, filter, listenerOf, managerAround } from "./configuration.ts";

/* What an HTTP inspector would find out of a request, where the question does not say which protocol it is. */

const chain = (name: string, protocol: string): JsonObject => ({
  ...{ name, filter_chain_match: { application_protocols: [protocol] } },
  filters: [managerAround({})],
});

const listener: JsonObject = {
  ...listenerOf(),
  listener_filters: [filter("inspector", "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector")],
  filter_chains: [chain("first", "http/1.1"), chain("second", "h2c")],
};

const configuration = configurationOf({ listeners: [listener], clusters: [clusterOf("a", endpoint("10.0.0.1"))] });

test.each([
  [{}, "first"],
  [{ "content-type": "application/grpc" }, "second"],
  [{ "Content-Type": "application/grpc+proto" }, "second"],
  [{ "content-type": "application/grpc-web" }, "first"],
] as const)("with %j it is for the chain %s", (headers, name) => {
  expect(ask(configuration, { url: "http://a/", headers }).filterChain?.name).toBe(name);
});
