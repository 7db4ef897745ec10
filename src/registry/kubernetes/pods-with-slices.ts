import type { Clock } from "../../base/clock.ts";
import type { KubeObjects } from "./objects.ts";

export interface PodsWithSlices {
  /** The objects to go by, where pods and slices may be those from before an outage. */
  readonly follow: (objects: KubeObjects, isLost: (kind: "pods" | "slices") => boolean) => KubeObjects;
  readonly close: () => void;
}

export interface PodsWithSlicesOptions {
  /** Whoever came back first is waited for no longer. */
  readonly onLate: () => void;
  readonly clock: Clock;
}

/** Reflectors ask again after pauses of their own, of up to a minute. */
const graceMs = 60_000;

/**
 * After an outage pods and slices come back one after the other. Where pods were replaced meanwhile, new slices with old pods make a
 * service of nobody, and so do old slices with new pods: both are taken together, when both are back. Where only one of them is lost
 * (a right was taken away), the other one is followed.
 */
export function keepPodsWithSlices({ onLate, clock }: PodsWithSlicesOptions): PodsWithSlices {
  let kept: Pick<KubeObjects, "pods" | "slices"> | undefined;
  let cancel: (() => void) | undefined;

  const letGo = (): void => {
    kept = undefined;
    cancel?.();
    cancel = undefined;
  };
  return {
    follow: (objects, isLost) => {
      const lost = [isLost("pods"), isLost("slices")];
      if (lost.every(Boolean)) kept ??= { pods: objects.pods, slices: objects.slices };
      else if (!lost.some(Boolean)) letGo();
      else if (kept !== undefined) {
        cancel ??= clock.after(graceMs, () => {
          letGo();
          onLate();
        });
      }
      return kept === undefined ? objects : { ...objects, ...kept };
    },
    close: letGo,
  };
}
