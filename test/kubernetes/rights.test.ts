import { expect, test } from "vitest";
import { openKubernetes } from "../../src/app/open-kubernetes.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { parseDocuments } from "../../src/base/yaml-document.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import type { RegistrySource } from "../../src/registry/source.ts";
import { blocksOf, pageAt } from "../docs/pages.ts";
import type { Cleanup } from "../support/envoy.ts";
import type { KubeObject } from "../support/kube-api.ts";
import type { Kubernetes } from "../support/kube-lab.ts";
import { sharedKubernetes } from "../support/kube-shared.ts";
import { waitFor } from "../support/wait-for.ts";

/* The role that docs/kubernetes.md tells to make is what Fairway needs, and no more. */

const accounts = { whole: "mesh/whole", withoutNodes: "mesh/without-nodes", lookedAt: "mesh/looked-at" } as const;
const kubernetes = sharedKubernetes({ serviceAccounts: Object.values(accounts) });

interface Role extends KubeObject {
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

function documentedRole(): Role {
  const block = blocksOf(pageAt("docs/kubernetes.md")).find(({ text }) => text.includes("kind: ClusterRole"));
  return parseDocuments(block?.text ?? "")[0]?.value as Role;
}

async function grant({ admin }: Kubernetes, role: Role, account: string): Promise<void> {
  const [namespace, name = ""] = account.split("/");
  await admin.create(role);
  await admin.create({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: role.metadata.name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
    subjects: [{ kind: "ServiceAccount", namespace, name }],
  });
}

async function registryOf(cluster: Kubernetes, account: string, cleanup: Cleanup): Promise<RegistrySource> {
  const registry = await openKubernetes({
    source: { kind: "file", file: cluster.kubeconfig({ serviceAccount: account }) },
    mesh: defaultMeshSettings,
    clock: systemClock,
    log: createLog({ level: "silent", format: "json", write: () => {} }),
    metrics: createMetrics(),
  });
  cleanup(registry.close);
  return registry;
}

test("the documented role is enough", async (context) => {
  const cluster = await kubernetes(context);
  await grant(cluster, documentedRole(), accounts.whole);
  const { catalog, health } = await registryOf(cluster, accounts.whole, context.onTestFinished);
  await waitFor(() => health.value.state === "LIVE");
  expect(health.value.problems).toEqual([]);
  expect([...(catalog.value?.services.keys() ?? [])]).toEqual(["default/kubernetes.default.svc.cluster.local"]);
});

test("and no more than enough", async (context) => {
  const cluster = await kubernetes(context);
  const { metadata, ...rest } = documentedRole();
  await grant(cluster, { ...rest, metadata: { name: "looked-at" } } as Role, accounts.lookedAt);
  const may = async (verb: string, group: string, resource: string): Promise<unknown> => {
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const { body } = await cluster.as(accounts.lookedAt).send("POST", path, {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { verb, group, resource } },
    });
    return (body as { readonly status: { readonly allowed: boolean } }).status.allowed;
  };
  expect(await may("list", "", "services")).toBe(true);
  expect(await may("watch", "discovery.k8s.io", "endpointslices")).toBe(true);
  expect(await may("list", "", "secrets")).toBe(false);
  expect(await may("list", "", "configmaps")).toBe(false);
  expect(await may("update", "", "services")).toBe(false);
  expect(await may("delete", "discovery.k8s.io", "endpointslices")).toBe(false);
});

test("without nodes it goes on, and says so", async (context) => {
  const cluster = await kubernetes(context);
  const { metadata, rules, ...role } = documentedRole();
  const fewer = rules.map(({ resources, ...rest }) => ({
    ...rest,
    resources: resources.filter((one) => one !== "nodes"),
  }));
  await grant(cluster, { ...role, metadata: { name: "without-nodes" }, rules: fewer } as Role, accounts.withoutNodes);
  const { health } = await registryOf(cluster, accounts.withoutNodes, context.onTestFinished);
  await waitFor(() => health.value.state === "LIVE", { withinMs: 20_000 });
  expect(health.value.problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^Nodes: .* 403 Forbidden/),
  ]);
});
