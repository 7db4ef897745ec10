import { expect, test } from "vitest";
import { parseNode } from "../../src/cli/node-file.ts";
import { parseProxyNode } from "../../src/model/proxy.ts";
import { fairway } from "./terminal.ts";

test("a sidecar's bootstrap names the proxy as the server reads it", async () => {
  const { exit, out, err } = await fairway(
    "bootstrap --name web-1 -n shop --ip 10.0.0.7 --label app=web version=v1 --locality r1/z1/s1 --node n1 --service-account web --interception NONE",
  );
  expect([exit, err]).toEqual([0, ""]);
  const proxy = parseNode(out, "bootstrap.json");
  expect(proxy).toEqual(
    parseProxyNode({
      id: "sidecar~10.0.0.7~web-1.shop~shop.svc.cluster.local",
      metadata: {
        NAMESPACE: "shop",
        LABELS: { app: "web", version: "v1" },
        SERVICE_ACCOUNT: "web",
        NODE_NAME: "n1",
        INTERCEPTION_MODE: "NONE",
      },
      locality: { region: "r1", zone: "z1", subzone: "s1" },
      client: { name: "envoy", version: "" },
    }),
  );
  expect(JSON.parse(out).node.cluster).toBe("web.shop");
});

test("a gateway, another control plane, another variant", async () => {
  const { out } = await fairway(
    "bootstrap --kind gateway --name gw --ip ::1 --xds [::1]:15010 --variant sotw --admin 127.0.0.1:0 --domain mesh.test",
  );
  const json = JSON.parse(out);
  expect(json.node.id).toBe("router~::1~gw.default~default.svc.mesh.test");
  expect(json.dynamic_resources.ads_config.api_type).toBe("GRPC");
  expect(json.admin.address.socket_address).toEqual({ address: "127.0.0.1", port_value: 0 });
  expect(out).toContain('"port_value": 15010');
});

test("a sidecar with an address of each family", async () => {
  const { out } = await fairway("bootstrap --name web-1 -n shop --ip 10.0.0.7 fd00::7");
  expect(parseNode(out, "bootstrap.json")).toMatchObject({
    id: "sidecar~10.0.0.7~web-1.shop~shop.svc.cluster.local",
    addresses: ["10.0.0.7", "fd00::7"],
  });
});

test("every slip at once", async () => {
  const { exit, out, err } = await fairway("bootstrap --name Web_1 -n a.b --ip 10.0.0 --xds x --label a");
  expect([exit, out]).toEqual([2, ""]);
  expect(err.split("\n").map((line) => line.trim().split(":")[0])).toEqual([
    "fairway",
    "--namespace",
    "--ip",
    "--xds",
    "--label",
    "`fairway bootstrap --help` shows examples.",
    "",
  ]);
});
