import type { TestContext } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import type { World } from "../../src/compile/world.ts";
import type { Rule } from "../../src/config/rule.ts";
import { createLedger } from "../../src/delivery/ledger.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { createCatalog } from "../../src/model/catalog.ts";
import type { ProxyNode } from "../../src/model/proxy.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import type { XdsOptions } from "../../src/xds/options.ts";
import type { DeliveryRecorder, ResourceFeed, SentResource } from "../../src/xds/ports.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { world } from "./mesh.ts";
import type { WireMesh } from "./wire-mesh.ts";

/** Something that went over the wire to or from a proxy. `atMs` is of a steady clock. */
export interface WireEvent {
  readonly on: "sent" | "accepted" | "refused";
  /** `node.id`. */
  readonly proxy: string;
  readonly type: TypeName;
  readonly nonce: string;
  readonly atMs: number;
  /** Of a response. */
  readonly resources?: readonly SentResource[];
  /** Of a refusal. */
  readonly reason?: string;
}

/**
 * All of the control plane between rules and wire, in this process, without what gathers changes: each one is a world of its
 * own, and goes out at once.
 */
export interface WirePlane {
  readonly port: number;
  readonly setRules: (rules: readonly Rule[]) => void;
  /** The connected proxy's present set; throws for one that is not connected. */
  readonly targetOf: (proxyId: string) => ResourceSet;
  /**
   * `reached`: the proxy accepted every cluster, assignment and route table of the present world. `settled`: and holds no
   * cluster beyond them.
   */
  readonly isAt: (proxyId: string, what: "reached" | "settled") => boolean;
  readonly subscribe: (listener: (event: WireEvent) => void) => void;
}

export interface WirePlaneOptions {
  readonly xds?: Partial<XdsOptions>;
  /** What stands between the compiled sets and the server. */
  readonly between?: (feed: ResourceFeed) => ResourceFeed;
}

export async function startWirePlane(
  context: Pick<TestContext, "onTestFinished">,
  { services }: Pick<WireMesh, "services">,
  first: readonly Rule[],
  { xds, between = (feed) => feed }: WirePlaneOptions = {},
): Promise<WirePlane> {
  const log = createLog({ level: "silent", format: "json", write: () => {} });
  const metrics = createMetrics();
  const catalog = createCatalog(services);
  const worlds = createSignal<World | undefined>(world({ catalog, rules: first }));
  const resources = createResourceCache({
    world: worlds,
    compiler: createCompiler(),
    clock: systemClock,
    log,
    metrics,
  });
  const ledger = createLedger({ clock: systemClock, metrics });
  const listeners = new Set<(event: WireEvent) => void>();
  const nodes = new Map<string, ProxyNode>();
  const server = createXdsServer({
    feed: between(resources),
    recorder: telling(ledger, nodes, (event) => {
      for (const listener of listeners) listener(event);
    }),
    metrics,
    log,
    clock: systemClock,
    identifier: "test",
    ...(xds && { options: xds }),
  });
  context.onTestFinished(() => {
    server.close();
    resources.close();
  });
  const port = await server.listen("127.0.0.1", 0);
  let revision = 1;

  const targetOf = (proxyId: string): ResourceSet => {
    const node = [...nodes.values()].find(({ id }) => id === proxyId);
    const target = node && resources.resourcesOf(node);
    if (target === undefined) throw new Error(`${proxyId} is not connected`);
    return target;
  };

  return {
    port,
    setRules: (rules) => {
      revision++;
      worlds.set(world({ catalog, rules, revision }));
    },
    targetOf,
    isAt: (proxyId, what) => {
      const target = targetOf(proxyId).resources;
      const held = ledger.receiptsOf(proxyId);
      const reached = (["CDS", "EDS", "RDS"] as const).every((type) =>
        [...target[type].values()].every(({ name, version }) => held?.receipt(type, name)?.accepted === version),
      );
      if (!reached || what === "reached") return reached;
      const clusters = (ledger.resourcesOf(proxyId) ?? []).filter(({ type }) => type === "CDS");
      return clusters.every(({ name }) => target.CDS.has(name));
    },
    subscribe: (listener) => listeners.add(listener),
  };
}

/** The ledger, overheard. */
function telling(
  ledger: DeliveryRecorder,
  nodes: Map<string, ProxyNode>,
  tell: (event: WireEvent) => void,
): DeliveryRecorder {
  const event = (on: WireEvent["on"], stream: string, type: TypeName, nonce: string): WireEvent => {
    const proxy = nodes.get(stream)?.id ?? "";
    return { on, proxy, type, nonce, atMs: performance.now() };
  };
  return {
    ...ledger,
    opened: (info) => {
      nodes.set(info.stream, info.node);
      ledger.opened(info);
    },
    closed: (stream) => {
      nodes.delete(stream);
      ledger.closed(stream);
    },
    sent: (stream, type, nonce, list) => {
      ledger.sent(stream, type, nonce, list);
      tell({ ...event("sent", stream, type, nonce), resources: list });
    },
    accepted: (stream, type, nonce) => {
      ledger.accepted(stream, type, nonce);
      tell(event("accepted", stream, type, nonce));
    },
    refused: (stream, type, nonce, reason) => {
      ledger.refused(stream, type, nonce, reason);
      tell({ ...event("refused", stream, type, nonce), reason });
    },
  };
}
