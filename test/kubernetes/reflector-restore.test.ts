import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test, vi } from "vitest";
import { sharedKubernetes } from "../support/kube-shared.ts";
import { configMap, configMaps, reflectReal } from "../support/real-reflector.ts";
import { waitFor } from "../support/wait-for.ts";

// The first one waits for the servers.
vi.setConfig({ testTimeout: 120_000 });

const kubernetes = sharedKubernetes();

test("a store that was replaced by an older one is read anew", async (context) => {
  const { admin, etcd, apiServer, kubeconfig, server } = await kubernetes(context);
  // The versions of the new store are to be below those that are known.
  for (let n = 0; n < 300; n++) await admin.create(configMap("default", `c${n}`, "1"));
  const { kept, state, metric } = reflectReal(context, {
    ...{ kubeconfig: kubeconfig(), resource: configMaps("default"), times: { silenceMs: 2_000 } },
  });
  await waitFor(() => state() === "live");
  await apiServer.kill();
  await etcd.kill();
  rmSync(join(dirname(server.caFile), "etcd"), { recursive: true });
  await etcd.start();
  await apiServer.start();
  await waitFor(async () => (await admin.send("GET", "/api/v1/namespaces/default")).status === 200);
  await admin.create(configMap("default", "new", "1"));
  // The server says nothing of versions that it does not have yet: neither an error nor the objects.
  await waitFor(() => kept().join() === "new=1", { withinMs: 60_000 });
  expect(await metric("fairway_kube_restarts_total")).toMatchObject({ silent: 2 });
});
