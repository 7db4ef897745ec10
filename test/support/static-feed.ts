import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import type { DeliveryRecorder, ResourceFeed, SentResource } from "../../src/xds/ports.ts";

/** A feed that gives every proxy the same set, until told otherwise. */
export function staticFeed(first: ResourceSet): ResourceFeed & { readonly set: (next: ResourceSet) => void } {
  let current = first;
  const listeners = new Set<(resources: ResourceSet) => void>();
  return {
    watch: (_node, listener) => {
      listeners.add(listener);
      return { current: () => current, close: () => listeners.delete(listener) };
    },
    set: (next) => {
      current = next;
      for (const listener of [...listeners]) listener(next);
    },
  };
}

export interface Recorded {
  readonly on: "sent" | "accepted" | "refused";
  readonly type: string;
  readonly resources?: readonly SentResource[];
  readonly reason?: string;
}

/** Writes down everything, for looking at afterwards. */
export function recordingRecorder(): DeliveryRecorder & { readonly events: readonly Recorded[] } {
  const events: Recorded[] = [];
  const write = (event: Recorded): void => {
    events.push(event);
  };
  return {
    events,
    opened: () => {},
    asked: () => {},
    closed: () => {},
    resumed: () => {},
    dropped: () => {},
    sent: (_stream, type, _nonce, resources) => write({ on: "sent", type, resources }),
    accepted: (_stream, type) => write({ on: "accepted", type }),
    refused: (_stream, type, _nonce, reason) => write({ on: "refused", type, reason }),
  };
}
