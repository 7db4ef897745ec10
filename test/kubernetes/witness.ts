import { setTimeout as delay } from "node:timers/promises";
import type { Cleanup } from "../support/envoy.ts";
import { waitFor } from "../support/wait-for.ts";
import { connectXds, type DeltaStream, type NodeFields, type Received } from "../support/xds-client.ts";

export interface WitnessOptions {
  readonly cleanup: Cleanup;
  readonly node: NodeFields;
  /** Of 127.0.0.1. */
  readonly xdsPort: number;
}

/** A proxy without a data plane: it takes clusters and their endpoints, accepts them, and comes back with what it has. */
export interface Witness {
  /** Whether it has the endpoints of each of its clusters. */
  readonly isComplete: () => boolean;
  /** How many endpoints of clusters it was ever sent anew, or told to drop. */
  readonly changes: () => number;
}

/** Before it comes again. */
const pauseMs = 100;

export function startWitness({ cleanup, node, xdsPort }: WitnessOptions): Witness {
  /** Versions by name. */
  const held = { CDS: new Map<string, string>(), EDS: new Map<string, string>() };
  let changes = 0;
  let isClosed = false;

  const take = (stream: DeltaStream, response: Received): void => {
    const versions = response.type === "CDS" ? held.CDS : held.EDS;
    if (response.type === "EDS") changes += response.resources.size + response.removed.length;
    for (const [name, { version }] of response.resources) versions.set(name, version);
    for (const name of response.removed) versions.delete(name);
    stream.ack(response);
    if (response.type !== "CDS") return;
    const clusters = [...response.resources.keys()].filter(hasEndpoints);
    stream.send("EDS", { subscribe: clusters, unsubscribe: response.removed.filter(hasEndpoints) });
  };
  const follow = async (): Promise<void> => {
    const client = connectXds(xdsPort);
    try {
      const stream = client.openDelta();
      let hasEnded = false;
      void stream.status(2 ** 30).then(() => {
        hasEnded = true;
      });
      const clusters = [...held.CDS.keys()].filter(hasEndpoints);
      stream.send("CDS", { node, subscribe: ["*"], known: Object.fromEntries(held.CDS) });
      if (clusters.length > 0) stream.send("EDS", { subscribe: clusters, known: Object.fromEntries(held.EDS) });
      for (let taken = 0; !hasEnded && !isClosed; ) {
        const response = stream.received[taken];
        if (response === undefined) {
          await waitFor(() => hasEnded || isClosed || stream.received.length > taken, { withinMs: 2 ** 30 });
          continue;
        }
        taken++;
        take(stream, response);
      }
      stream.cancel();
    } finally {
      client.close();
    }
  };
  const rounds = (async () => {
    while (!isClosed) {
      await follow();
      await delay(pauseMs);
    }
  })();
  cleanup(async () => {
    isClosed = true;
    await rounds;
  });
  return {
    isComplete: () =>
      held.CDS.size > 0 && [...held.CDS.keys()].filter(hasEndpoints).every((name) => held.EDS.has(name)),
    changes: () => changes,
  };
}

/** Those of services; others are Envoy's own. */
const hasEndpoints = (cluster: string): boolean => cluster.startsWith("outbound|");
