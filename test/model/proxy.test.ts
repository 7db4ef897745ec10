import { describe, expect, test } from "vitest";
import { MeshError } from "../../src/base/errors.ts";
import { parseLocality } from "../../src/model/locality.ts";
import { type NodeIdentity, parseProxyNode } from "../../src/model/proxy.ts";

const node = (id: string, metadata: Record<string, unknown> = {}): NodeIdentity => ({
  id,
  metadata,
  locality: parseLocality("r1/z1"),
  client: { name: "envoy", version: "1.40.0" },
});

test("reads a node as Istio's proxies name themselves", () => {
  const parsed = parseProxyNode(
    node("router~10.9.9.1~gw.abc.shop~shop.svc.cluster.local", {
      NAMESPACE: "edge",
      LABELS: { app: "gw", n: 3 },
      INSTANCE_IPS: "10.9.9.1,fd00::1",
      INTERCEPTION_MODE: "NONE",
      NODE_NAME: "n1",
      SOMETHING_ELSE: "kept out",
    }),
  );
  expect(parsed).toMatchObject({
    kind: "gateway",
    name: "gw.abc",
    namespace: "edge",
    dnsDomain: "shop.svc.cluster.local",
    addresses: ["10.9.9.1", "fd00::1"],
    labels: { app: "gw" },
    nodeName: "n1",
    interceptionMode: "none",
  });
});

test("without metadata the namespace is the first label of the domain", () => {
  expect(parseProxyNode(node("sidecar~10.0.0.1~web.shop~shop.svc.cluster.local"))).toMatchObject({
    namespace: "shop",
    labels: {},
    interceptionMode: "redirect",
    addresses: ["10.0.0.1"],
  });
});

describe("refuses, and says what it expected", () => {
  test.each([
    ["", "does not name a proxy"],
    ["web", "does not name a proxy"],
    ["waypoint~10.0.0.1~web.shop~shop.svc.cluster.local", "does not name a proxy"],
    ["sidecar~10.0.0.1~web.shop", "does not name a proxy"],
    [`sidecar~10.0.0.1~${"x".repeat(2000)}~d`, "does not name a proxy"],
    ["sidecar~~web.shop~shop.svc.cluster.local", "has no IP address"],
    ["sidecar~pod-host~web.shop~shop.svc.cluster.local", "has no IP address"],
  ])("%j", (id, message) => {
    expect(() => parseProxyNode(node(id))).toThrow(MeshError);
    expect(() => parseProxyNode(node(id))).toThrow(message);
  });
});

test.each([[null], [[]], ["text"], [7]])("labels that are no table are none: %j", (labels) => {
  expect(parseProxyNode(node("sidecar~1.1.1.1~a.b~b.svc.c", { LABELS: labels })).labels).toEqual({});
});
