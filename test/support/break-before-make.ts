import { setTimeout as delay } from "node:timers/promises";
import type { ResourceMap, ResourceSet } from "../../src/envoy/resource-set.ts";
import type { ResourceFeed } from "../../src/xds/ports.ts";

/**
 * A feed that takes the order of delivery out of the server's hands: every set comes in three parts, in the order that breaks.
 * First what is gone is missing while routes still name it, then routes name what is not there yet, then all is there. The server
 * between is the same one, and so are the first and the last set: whatever fails, fails by the order. `stepMs` lies between the
 * parts.
 */
export const breakBeforeMake = (feed: ResourceFeed, stepMs: number): ResourceFeed => ({
  watch(node, listener) {
    let shown: ResourceSet | undefined;
    let open = true;
    let queue = Promise.resolve();
    const show = (set: ResourceSet): void => {
      shown = set;
      if (open) listener(set);
    };
    const inParts = async (next: ResourceSet): Promise<void> => {
      const parts = shown === undefined ? [next] : [...brokenParts(shown, next), next];
      for (const part of parts) {
        show(part);
        await delay(stepMs);
      }
    };
    const watch = feed.watch(node, (next) => {
      queue = queue.then(() => inParts(next));
    });
    shown = watch.current();
    return {
      current: () => shown ?? watch.current(),
      close: () => {
        open = false;
        watch.close();
      },
    };
  },
});

function brokenParts(
  { resources: before }: ResourceSet,
  { resources: after, repairs }: ResourceSet,
): readonly ResourceSet[] {
  const removed = { CDS: common(before.CDS, after.CDS), EDS: common(before.EDS, after.EDS) };
  return [
    { resources: { ...before, ...removed }, repairs },
    { resources: { ...before, ...removed, LDS: after.LDS, RDS: after.RDS }, repairs },
  ];
}

const common = (before: ResourceMap, after: ResourceMap): ResourceMap =>
  before.with(
    before
      .keys()
      .filter((name) => !after.has(name))
      .map((name) => [name, undefined]),
  );
