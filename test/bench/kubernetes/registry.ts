import { systemClock as clock } from "../../../src/base/clock.ts";
import { createLog } from "../../../src/base/log.ts";
import { createMetrics } from "../../../src/base/metrics.ts";
import { createSignal } from "../../../src/base/signal.ts";
import { emptyRuleSet } from "../../../src/config/rule-set.ts";
import { createKubeClient } from "../../../src/kube/client.ts";
import { createReflector } from "../../../src/kube/create-reflector.ts";
import { createKubeConfigAccess } from "../../../src/kube/kube-config.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import { defaultMeshSettings } from "../../../src/model/mesh-settings.ts";
import { aggregateRegistries } from "../../../src/registry/aggregate.ts";
import { createKubernetesRegistry } from "../../../src/registry/kubernetes/kubernetes-registry.ts";
import { createWorldFeed } from "../../../src/snapshot/world-feed.ts";
import { heldBytes } from "../../support/heap.ts";

/*
 * A process with the registry of one API server and the worlds that follow from it. It tells of the first complete world, and then, when
 * it is sent an address, once an instance has it; "held": how much it holds.
 */

const [file = ""] = process.argv.slice(2);
const log = createLog({ level: "warn", format: "text", write: (line) => process.stderr.write(line) });
const access = createKubeConfigAccess({ source: { kind: "file", file }, clock, log });
const client = createKubeClient({ access, clock, userAgent: "fairway/bench" });
const metrics = createKubeMetrics(createMetrics());
const registry = createKubernetesRegistry({
  domain: "cluster.local",
  clock,
  reflect: (resource) =>
    createReflector({ client, resource, clock, log, metrics: metrics("kubernetes", resource.plural) }),
});
const { world } = createWorldFeed({
  catalog: aggregateRegistries([registry]).catalog,
  rules: createSignal(emptyRuleSet),
  holds: createSignal([]),
  mesh: defaultMeshSettings,
  clock,
});

const send = (message: unknown): void => {
  process.send?.(message);
};

const waiting = new Set<string>();
let last = world.value;
world.subscribe((next) => {
  if (next === undefined) return;
  if (last === undefined) {
    const { services, instances } = next.catalog;
    const count = instances.values().reduce((sum, list) => sum + list.length, 0);
    send({ worldMs: performance.now(), services: services.size, instances: count });
  }
  for (const { after = [] } of last?.catalog.instances.changesTo(next.catalog.instances) ?? []) {
    for (const { address, health } of after) {
      if (health === "healthy" && waiting.delete(address)) send({ seen: address });
    }
  }
  last = next;
});

process.on("message", (message) => {
  if (message === "held") send({ heldBytes: heldBytes() });
  else waiting.add(String(message));
});
process.on("disconnect", () => process.exit());
