import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type TestContext, test, vi } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createKubeClient, type KubeClient } from "../../src/kube/client.ts";
import { createKubeConfigAccess } from "../../src/kube/kube-config.ts";
import { silentLog } from "../kube/support.ts";
import { startKubeFaultProxy } from "../support/kube-fault-proxy.ts";
import type { Kubernetes } from "../support/kube-lab.ts";
import { sharedKubernetes } from "../support/kube-shared.ts";
import { configMap, configMaps, configMapsOf, reflectReal } from "../support/real-reflector.ts";
import { waitFor } from "../support/wait-for.ts";

// The first one waits for the servers.
vi.setConfig({ testTimeout: 120_000 });

/** What older servers do: every list is a page of etcd's, watches are etcd's, and no list is streamed. */
const kubernetes = sharedKubernetes({ apiServerFlags: { "watch-cache": false, "feature-gates": "WatchList=false" } });

/** A namespace with this many objects. */
async function filled(context: Pick<TestContext, "onTestFinished">, lab: Kubernetes, count: number): Promise<string> {
  const namespace = `ns-${randomUUID()}`;
  await lab.admin.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const access = createKubeConfigAccess({
    source: { kind: "file", file: lab.kubeconfig() },
    clock: systemClock,
    log: silentLog,
  });
  const client = createKubeClient({ access, clock: systemClock, userAgent: "fairway/test" });
  context.onTestFinished(client.close);
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const names = Array.from({ length: count }, (_, n) => `c${String(n).padStart(5, "0")}`);
  const create = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      await client.send({ method: "POST", path, body: configMap(namespace, name, "1") });
    }
  };
  await Promise.all(Array.from({ length: 8 }, create));
  return namespace;
}

test("that streams no lists is read in pages", async (context) => {
  const lab = await kubernetes(context);
  const namespace = await filled(context, lab, 1_001);
  const asked: string[] = [];
  const { kept, state, metric } = reflectReal(context, {
    ...{ kubeconfig: lab.kubeconfig(), resource: configMaps(namespace) },
    through: (client) => ({
      ...client,
      stream: (request) => {
        const isPage = request.query?.["continue"] !== undefined;
        asked.push(isPage ? "page" : request.query?.["watch"] === undefined ? "list" : "watch");
        return client.stream(request);
      },
    }),
  });
  await waitFor(() => state() === "live");
  expect(kept()).toHaveLength(1_001);
  expect(asked.slice(0, 4)).toEqual(["watch", "list", "page", "page"]);
  expect(await metric("fairway_kube_restarts_total")).toEqual({ invalid: 1, listed: 1 });
});

test("whose pages expire is read as one", async (context) => {
  const lab = await kubernetes(context);
  const namespace = await filled(context, lab, 510);
  let pages = 0;
  const expiring = (client: KubeClient): KubeClient => ({
    ...client,
    stream: async (request) => {
      if (request.query?.["continue"] !== undefined) {
        pages += 1;
        await lab.admin.remove(configMap(namespace, "c00000", ""));
        await lab.compact();
      }
      return client.stream(request);
    },
  });
  const { kept, state } = reflectReal(context, {
    ...{ kubeconfig: lab.kubeconfig(), resource: configMaps(namespace), through: expiring },
  });
  await waitFor(() => state() === "live");
  expect(pages).toBe(1);
  expect(kept()).toHaveLength(509);
});

test("that has forgotten the version is read anew, without an empty moment", async (context) => {
  const lab = await kubernetes(context);
  const namespace = await filled(context, lab, 3);
  const proxy = await startKubeFaultProxy(context, lab.server.url);
  const { kept, metric, sizes, reflector } = reflectReal(context, {
    ...{ kubeconfig: lab.kubeconfig({ url: proxy.url }), resource: configMaps(namespace) },
  });
  await waitFor(() => kept().length === 3);
  const same = reflector.objects.value?.get(`${namespace}/c00000`);
  proxy.refuse(true);
  proxy.reset();
  await lab.admin.replace(configMap(namespace, "c00001", "2"));
  await lab.admin.remove(configMap(namespace, "c00002", ""));
  await lab.admin.create(configMap(namespace, "c00003", "1"));
  await lab.compact();
  proxy.refuse(false);
  await waitFor(async () => kept().join() === (await configMapsOf(lab.admin, namespace)).join());
  expect((await metric("fairway_kube_restarts_total"))["gone"]).toBe(1);
  expect(sizes).toEqual([3, 3]);
  expect(same).toBeDefined();
  expect(reflector.objects.value?.get(`${namespace}/c00000`)).toBe(same);
});

test("objects that come and go while all is read anew, again and again, are right in the end", async (context) => {
  const lab = await kubernetes(context);
  const namespace = await filled(context, lab, 40);
  const proxy = await startKubeFaultProxy(context, lab.server.url);
  const { kept, metric, sizes } = reflectReal(context, {
    ...{ kubeconfig: lab.kubeconfig({ url: proxy.url }), resource: configMaps(namespace) },
  });
  await waitFor(() => kept().length === 40);
  for (let round = 1; round <= 5; round++) {
    proxy.refuse(true);
    proxy.reset();
    for (let n = 0; n < 10; n++) {
      if (n === 5) await lab.compact();
      // What was not refused reads all again, beside what changes.
      if (n === 7) proxy.refuse(false);
      const name = `c${String((7 * n + round) % 40).padStart(5, "0")}`;
      await lab.admin.remove(configMap(namespace, name, ""));
      await lab.admin.create(configMap(namespace, name, `round ${round}`));
    }
    await waitFor(async () => kept().join() === (await configMapsOf(lab.admin, namespace)).join());
  }
  expect(await metric("fairway_kube_restarts_total")).toMatchObject({ gone: 5 });
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(39);
});

test("thousands of objects are one map, and thousands of changes a few", async (context) => {
  const lab = await kubernetes(context);
  const namespace = await filled(context, lab, 1_001);
  const { kept, state, sizes } = reflectReal(context, {
    kubeconfig: lab.kubeconfig(),
    resource: configMaps(namespace),
  });
  await waitFor(() => state() === "live");
  expect(sizes).toEqual([1_001]);
  await lab.admin.send("DELETE", `/api/v1/namespaces/${namespace}/configmaps`);
  await waitFor(() => kept().length === 0, { withinMs: 60_000 });
  expect(sizes.length).toBeLessThan(100);
});

test("a token that was taken away is replaced by what stands in its file", async (context) => {
  const lab = await kubernetes(context);
  const namespace = await filled(context, lab, 1);
  const { admin } = lab;
  const core = { apiVersion: "v1" };
  await admin.create({ ...core, kind: "ServiceAccount", metadata: { name: "reader", namespace } });
  const rbac = "rbac.authorization.k8s.io";
  const metadata = { name: "read", namespace };
  await admin.create({
    ...{ apiVersion: `${rbac}/v1`, kind: "Role", metadata },
    rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list", "watch"] }],
  });
  await admin.create({
    ...{ apiVersion: `${rbac}/v1`, kind: "RoleBinding", metadata },
    roleRef: { apiGroup: rbac, kind: "Role", name: "read" },
    subjects: [{ kind: "ServiceAccount", name: "reader", namespace }],
  });
  /** A token that ends with a secret. */
  const token = async (name: string): Promise<string> => {
    const secret = await admin.create({ ...core, kind: "Secret", metadata: { name, namespace } });
    const { body } = await admin.send("POST", `/api/v1/namespaces/${namespace}/serviceaccounts/reader/token`, {
      ...{ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest" },
      spec: { boundObjectRef: { ...core, kind: "Secret", name, uid: secret.metadata["uid"] } },
    });
    return (body as { readonly status: { readonly token: string } }).status.token;
  };
  const dir = mkdtempSync(join(tmpdir(), "fairway-token-"));
  context.onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const first = await token("first");
  writeFileSync(join(dir, "token"), first);
  const proxy = await startKubeFaultProxy(context, lab.server.url);
  writeFileSync(
    join(dir, "config"),
    JSON.stringify({
      "current-context": "here",
      clusters: [{ name: "c", cluster: { server: proxy.url, "certificate-authority": lab.server.caFile } }],
      users: [{ name: "reader", user: { tokenFile: "token" } }],
      contexts: [{ name: "here", context: { cluster: "c", user: "reader" } }],
    }),
  );
  const { kept, state, reflector } = reflectReal(context, {
    kubeconfig: join(dir, "config"),
    resource: configMaps(namespace),
  });
  await waitFor(() => kept().length === 1);

  await admin.remove({ ...core, kind: "Secret", metadata: { name: "first", namespace } });
  // The server remembers for some seconds that it was good.
  await waitFor(
    () => {
      if (state() === "live") proxy.reset();
      return reflector.state.value.problem?.message.includes("401");
    },
    { withinMs: 30_000 },
  );
  expect(kept()).toHaveLength(1);
  writeFileSync(join(dir, "token"), await token("second"));
  await admin.create(configMap(namespace, "another", "1"));
  await waitFor(() => kept().length === 2);
  expect(state()).toBe("live");
});
