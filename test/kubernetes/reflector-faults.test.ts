import { randomUUID } from "node:crypto";
import { describe, expect, type TestContext, test, vi } from "vitest";
import { startKubeFaultProxy } from "../support/kube-fault-proxy.ts";
import { sharedKubernetes } from "../support/kube-shared.ts";
import { configMap, configMaps, configMapsOf, reflectReal, withoutBookmarks } from "../support/real-reflector.ts";
import { waitFor } from "../support/wait-for.ts";

// The first one waits for the servers.
vi.setConfig({ testTimeout: 120_000 });

const account = "mesh/fairway";
const kubernetes = sharedKubernetes({ serviceAccounts: [account] });

/** Silence that a test can wait for; a real watch says nothing for a minute. */
const impatient = { times: { silenceMs: 1_000 }, limits: { answerMs: 1_000, completeMs: 1_000 } };

/** A namespace with `a` and `b`, and a reflector of it with a proxy in between. */
async function reflecting(
  context: Pick<TestContext, "skip" | "onTestFinished">,
  {
    serviceAccount,
    ...options
  }: { readonly serviceAccount?: string } & Partial<Parameters<typeof reflectReal>[1]> = {},
) {
  const lab = await kubernetes(context);
  const { admin, server, kubeconfig } = lab;
  const namespace = `ns-${randomUUID()}`;
  await admin.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const put = (name: string, v: string) => admin.create(configMap(namespace, name, v));
  const change = (name: string, v: string) => admin.replace(configMap(namespace, name, v));
  const remove = (name: string) => admin.remove(configMap(namespace, name, ""));
  await put("a", "1");
  await put("b", "1");
  const proxy = await startKubeFaultProxy(context, server.url);
  const config = kubeconfig({ url: proxy.url, ...(serviceAccount !== undefined && { serviceAccount }) });
  const one = reflectReal(context, { kubeconfig: config, resource: configMaps(namespace), ...options });
  const becomes = (...wanted: readonly string[]) =>
    waitFor(() => one.kept().join() === wanted.join(), { what: wanted.join() });
  return { lab, namespace, proxy, put, change, remove, becomes, ...one };
}

describe("a reflector of a real API server", () => {
  test("reads all in one streamed list, and follows what becomes of it", async (context) => {
    const { put, change, remove, becomes, metric, state, sizes } = await reflecting(context);
    await becomes("a=1", "b=1");
    await waitFor(() => state() === "live");
    await change("a", "2");
    await put("c", "1");
    await remove("b");
    await becomes("a=2", "c=1");
    expect(sizes[0]).toBe(2);
    expect(await metric("fairway_kube_lists_total")).toEqual({ stream: 1 });
    expect(await metric("fairway_kube_restarts_total")).toEqual({});
  });

  test("reads a plain list where no bookmark says that the streamed one is complete, and follows it without any", async (context) => {
    const { change, remove, becomes, metric, state } = await reflecting(context, {
      times: { listSilenceMs: 300 },
      through: withoutBookmarks,
    });
    await becomes("a=1", "b=1");
    await waitFor(() => state() === "live");
    expect(await metric("fairway_kube_lists_total")).toEqual({ list: 1 });
    await change("a", "2");
    await remove("b");
    await becomes("a=2");
    expect(await metric("fairway_kube_lists_total")).toEqual({ list: 1 });
  });

  test("misses nothing when connections are reset, and does not read all again", async (context) => {
    const { proxy, change, remove, becomes, metric, sizes } = await reflecting(context);
    await becomes("a=1", "b=1");
    proxy.refuse(true);
    proxy.reset();
    await change("a", "2");
    await remove("b");
    proxy.refuse(false);
    await becomes("a=2");
    expect(await metric("fairway_kube_lists_total")).toEqual({ stream: 1 });
    expect(Math.min(...sizes)).toBe(1);
  });

  test("finds out that a connection leads nowhere, keeps what it knows, and comes back", async (context) => {
    const { proxy, change, becomes, state, kept, metric } = await reflecting(context, impatient);
    await becomes("a=1", "b=1");
    proxy.stall();
    await change("a", "2");
    await waitFor(() => state() === "lost");
    expect(kept()).toEqual(["a=1", "b=1"]);
    proxy.goOn();
    await becomes("a=2", "b=1");
    await waitFor(() => state() === "live");
    expect(await metric("fairway_kube_restarts_total")).toMatchObject({ silent: expect.any(Number) });
    expect(await metric("fairway_kube_lists_total")).toEqual({ stream: 1 });
  });

  test("goes on where it was each time that the server ends a watch", async (context) => {
    const { change, becomes, metric, reflector } = await reflecting(context, {
      times: { minWatchMs: 1_000, maxWatchMs: 1_000 },
    });
    await becomes("a=1", "b=1");
    const states: string[] = [];
    reflector.state.subscribe(({ kind }) => states.push(kind));
    for (let v = 2; (await metric("fairway_kube_watches_total"))[""] !== 5; v++) {
      await change("a", String(v));
      await becomes(`a=${v}`, "b=1");
    }
    expect(await metric("fairway_kube_lists_total")).toEqual({ stream: 1 });
    expect(await metric("fairway_kube_restarts_total")).toEqual({ ended: 4 });
    expect(states.filter((kind) => kind !== "live")).toEqual([]);
  });

  test("is told to stop when it may not read any more, keeps what it knows, and comes back with the right", async (context) => {
    const { lab, namespace, proxy, change, becomes, state, kept, reflector } = await reflecting(context, {
      serviceAccount: account,
    });
    const group = "rbac.authorization.k8s.io";
    const metadata = { name: "read", namespace };
    const role = {
      ...{ apiVersion: `${group}/v1`, kind: "Role", metadata },
      rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "watch"] }],
    };
    const [ns, name] = account.split("/");
    const binding = {
      ...{ apiVersion: `${group}/v1`, kind: "RoleBinding", metadata },
      roleRef: { apiGroup: group, kind: "Role", name: "read" },
      subjects: [{ kind: "ServiceAccount", name, namespace: ns }],
    };
    await waitFor(() => reflector.state.value.problem !== undefined);
    expect(reflector.state.value).toMatchObject({
      kind: "starting",
      problem: {
        message: expect.stringMatching(
          /403 Forbidden: .*"system:serviceaccount:mesh:fairway" cannot (list|watch) resource "configmaps"/,
        ),
      },
    });
    await lab.admin.create(role);
    await lab.admin.create(binding);
    await becomes("a=1", "b=1");

    await lab.admin.remove(binding);
    await waitFor(() => {
      if (state() === "live") proxy.reset();
      return reflector.state.value.problem?.message.includes("403");
    });
    expect(state()).toBe("lost");
    await change("a", "2");
    expect(kept()).toEqual(["a=1", "b=1"]);
    await lab.admin.create(binding);
    await becomes("a=2", "b=1");
    await waitFor(() => state() === "live");
  });

  test("is right in the end, whatever happens while objects come and go", async (context) => {
    const { lab, namespace, proxy, put, change, remove, kept, sizes } = await reflecting(context);
    await waitFor(() => kept().length === 2);
    const names = Array.from({ length: 20 }, (_, n) => `c${n}`);
    for (const name of names) await put(name, "0");
    await waitFor(() => kept().length === 22);
    for (let round = 1; round <= 12; round++) {
      if (round % 3 === 0) proxy.reset();
      const changed = names.map((name, n) => async () => {
        if ((n + round) % 4 === 0) {
          await remove(name);
          await put(name, `new ${round}`);
        } else await change(name, String(round));
      });
      await Promise.all(changed.slice(0, 10).map((act) => act()));
      if (round % 4 === 0) proxy.reset();
      await Promise.all(changed.slice(10).map((act) => act()));
    }
    await waitFor(async () => [...kept()].sort().join() === (await configMapsOf(lab.admin, namespace)).join());
    // One that is deleted and made anew is gone for a moment; nothing else ever is.
    expect(Math.min(...sizes.slice(sizes.indexOf(22)))).toBeGreaterThan(15);
  });
});

describe("a kind of the user's", () => {
  const served = {
    storage: true,
    schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
  };
  const group = "test.example";
  const crd = {
    ...{
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `rules.${group}` },
    },
    spec: {
      ...{ group, scope: "Namespaced", names: { plural: "rules", singular: "rule", kind: "Rule" } },
      versions: [
        { ...served, name: "v1", served: true },
        { ...served, name: "v2", served: true, storage: false },
      ],
    },
  };

  test("is absent, comes, goes and comes again", async (context) => {
    const { admin, kubeconfig } = await kubernetes(context);
    const rule = (v: string) => ({
      ...{ apiVersion: `${group}/v1`, kind: "Rule", metadata: { name: "r", namespace: "default" } },
      v,
    });
    const { state, kept } = reflectReal(context, {
      kubeconfig: kubeconfig(),
      resource: { base: `/apis/${group}/v1`, plural: "rules", project: (object) => ({ v: String(object["v"]) }) },
    });
    await waitFor(() => state() === "absent");
    const unserved = {
      spec: {
        versions: [
          { ...served, name: "v1", served: false },
          { ...served, name: "v2", served: true, storage: false },
        ],
      },
    };
    for (const v of ["first", "second"]) {
      // The one before may be on its way out.
      await waitFor(() => admin.create(crd));
      await waitFor(() => state() === "live");
      await waitFor(async () => (await admin.create(rule(v))) !== undefined);
      await waitFor(() => kept().join() === `r=${v}`);
      if (v === "first") {
        await admin.patch(crd, unserved);
        await waitFor(() => state() === "absent", { what: "a version that is not served", withinMs: 20_000 });
      }
      await admin.remove(crd);
      await waitFor(() => state() === "absent", { withinMs: 20_000 });
      expect(kept()).toEqual([]);
    }
  });
});

// They take the server away from those above: last.
describe("a server that goes away", () => {
  test("stands still: what is known stays, and is made good when it goes on", async (context) => {
    const { lab, becomes, state, kept } = await reflecting(context, impatient);
    await becomes("a=1", "b=1");
    lab.apiServer.pause();
    await waitFor(() => state() === "lost");
    expect(kept()).toEqual(["a=1", "b=1"]);
    lab.apiServer.resume();
    await waitFor(() => state() === "live");
  });

  test("crashes and comes back: nothing was empty meanwhile, and nothing is missed", async (context) => {
    const { lab, change, remove, put, becomes, state, kept, sizes } = await reflecting(context);
    await becomes("a=1", "b=1");
    await lab.apiServer.kill();
    await waitFor(() => state() === "lost");
    expect(kept()).toEqual(["a=1", "b=1"]);
    await lab.apiServer.start();
    await put("c", "1");
    await change("a", "2");
    await remove("b");
    await becomes("a=2", "c=1");
    await waitFor(() => state() === "live");
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });
});
