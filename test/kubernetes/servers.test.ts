import { expect, test } from "vitest";
import { pathOf } from "../support/kube-api.ts";
import { sharedKubernetes } from "../support/kube-lab.ts";

const account = "mesh/fairway";
const kubernetes = sharedKubernetes({ serviceAccounts: [account] });

const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one", namespace: "shop" } };

test("the server says its version", async (context) => {
  const { admin } = await kubernetes(context);
  expect(await admin.get("/version")).toMatchObject({ gitVersion: expect.stringMatching(/^v1\.\d+\.\d+$/) });
});

test("a service account may sign in, and may do nothing until it is allowed to", async (context) => {
  const { as } = await kubernetes(context);
  const { status, body } = await as(account).send("GET", "/api/v1/services");
  expect({ status, body }).toMatchObject({ status: 403, body: { reason: "Forbidden" } });
});

test("a killed server comes back with its objects, and knows no version from before a compaction", async (context) => {
  const { admin, apiServer, compact } = await kubernetes(context);
  await admin.create(namespace);
  const { metadata } = await admin.create(config);
  await admin.patch(config, { data: { changed: "yes" } });
  await apiServer.kill();
  await expect(admin.get(pathOf(config))).rejects.toThrow("ECONNREFUSED");
  await compact();
  await apiServer.start();
  expect(await admin.get(pathOf(config))).toMatchObject({ data: { changed: "yes" } });
  const events: unknown[] = [];
  const path = "/api/v1/namespaces/shop/configmaps";
  await admin.watch(path, metadata.resourceVersion ?? "", (event) => events.push(event), AbortSignal.timeout(10_000));
  expect(events).toMatchObject([{ type: "ERROR", object: { code: 410 } }]);
});
