import { expect, test } from "vitest";
import { sharedKubernetes } from "../support/kube-shared.ts";
import { configMaps, reflectReal } from "../support/real-reflector.ts";
import { waitFor } from "../support/wait-for.ts";

const kubernetes = sharedKubernetes();

test("objects are read in one stream, and followed", async (context) => {
  const { admin, kubeconfig } = await kubernetes(context);
  await admin.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "one" } });
  const map = (name: string, v: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "one" },
    data: { v },
  });
  await admin.create(map("a", "1"));
  const { kept, state } = reflectReal(context, {
    kubeconfig: kubeconfig(),
    resource: configMaps("one"),
  });
  await waitFor(() => state() === "live");
  expect(kept()).toEqual(["a=1"]);
  await admin.create(map("b", "1"));
  await admin.replace(map("a", "2"));
  await waitFor(() => kept().join() === "a=2,b=1");
  await admin.remove(map("b", "1"));
  await waitFor(() => kept().join() === "a=2");
    await metric("fairway_kube_lists_total"),
    await metric("fairway_kube_restarts_total"),
    reflector.state.value,
  );
});
