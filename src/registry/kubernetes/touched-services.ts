import type { KubeObjects, ObjectsOf } from "./objects.ts";
import { createReverseIndex } from "./reverse-index.ts";
import type { KubeSlice } from "./slice.ts";

/** Who is concerned by what; it follows from one state of all objects to the next by what changed. */
export interface Concern {
  /** The services, by `namespace/name`, that may be other ones than in the state before. */
  readonly touched: (before: KubeObjects, after: KubeObjects) => ReadonlySet<string>;
  /** The slices of a service, as of the last state. */
  readonly slicesOf: (service: string) => Iterable<string>;
  /** How many things are named by anything: none where there is nothing. */
  readonly size: () => number;
}

export function createConcern(): Concern {
  const servicesOfNamespace = createReverseIndex();
  const slicesOfService = createReverseIndex();
  const slicesOfPod = createReverseIndex();
  const slicesOfNode = createReverseIndex();
  const podsOfNode = createReverseIndex();

  /** What changed, and in the index where an object is put by what it names. */
  function followed<T extends object>(
    before: ObjectsOf<T>,
    after: ObjectsOf<T>,
    move: (key: string, old: T | undefined, present: T | undefined) => void,
  ): void {
    for (const change of before.changesTo(after)) {
      const [old, present] = [change.before?.kept, change.after?.kept];
      if (old !== present) move(change.key, old, present);
    }
  }

  return {
    touched: (before, after) => {
      const touched = new Set<string>();
      const touchSlices = (keys: Iterable<string>): void => {
        for (const key of keys) touch(touched, after.slices.get(key)?.kept?.service);
      };
      followed(before.services, after.services, (key, old, present) => {
        servicesOfNamespace.move(key, old ? [namespaceOf(key)] : [], present ? [namespaceOf(key)] : []);
        touched.add(key);
      });
      followed(before.slices, after.slices, (key, old, present) => {
        slicesOfService.move(key, old ? [old.service] : [], present ? [present.service] : []);
        slicesOfPod.move(key, podsOf(old), podsOf(present));
        slicesOfNode.move(key, nodesOf(old), nodesOf(present));
        touch(touched, old?.service);
        touch(touched, present?.service);
      });
      followed(before.pods, after.pods, (key, old, present) => {
        podsOfNode.move(key, old?.node ? [old.node] : [], present?.node ? [present.node] : []);
        touchSlices(slicesOfPod.of(key));
      });
      followed(before.nodes, after.nodes, (key) => {
        touchSlices(slicesOfNode.of(key));
        for (const pod of podsOfNode.of(key)) touchSlices(slicesOfPod.of(pod));
      });
      followed(before.namespaces, after.namespaces, (key) => {
        for (const service of servicesOfNamespace.of(key)) touched.add(service);
      });
      return touched;
    },
    slicesOf: slicesOfService.of,
    size: () =>
      [servicesOfNamespace, slicesOfService, slicesOfPod, slicesOfNode, podsOfNode].reduce(
        (sum, index) => sum + index.size(),
        0,
      ),
  };
}

export const namespaceOf = (key: string): string => key.slice(0, key.indexOf("/"));

function touch(touched: Set<string>, service: string | undefined): void {
  if (service !== undefined) touched.add(service);
}

const podsOf = (slice: KubeSlice | undefined): readonly string[] =>
  (slice?.endpoints ?? []).flatMap(({ pod }) =>
    slice === undefined || pod === undefined ? [] : `${namespaceOf(slice.service)}/${pod.name}`,
  );

const nodesOf = (slice: KubeSlice | undefined): readonly string[] =>
  (slice?.endpoints ?? []).flatMap(({ node }) => node ?? []);
