import type { Clock } from "../../base/clock.ts";
import type { RegistryProblem } from "../source.ts";
import type { KubeObjects } from "./objects.ts";
import { type FindPod, podOfEndpoint } from "./offers.ts";

/** Tells of endpoints whose pod does not come. */
export interface HeldBackWatch {
  /** Pods or slices have changed. */
  readonly touch: () => void;
  /** Of those that were held back at two looks in a row. */
  readonly problems: () => readonly RegistryProblem[];
  readonly close: () => void;
}

export interface HeldBackOptions {
  /** undefined: nothing is complete yet. */
  readonly objects: () => KubeObjects | undefined;
  readonly onTold: () => void;
  readonly clock: Clock;
}

/** Pods and slices come by ways of their own: for so long one may be behind the other. */
const lookEveryMs = 10_000;

export function watchHeldBack({ objects, onTold, clock }: HeldBackOptions): HeldBackWatch {
  let held: ReadonlySet<string> = new Set();
  let told: readonly RegistryProblem[] = [];
  let cancel: (() => void) | undefined;

  const look = (): void => {
    cancel = undefined;
    const now = objects();
    const found = now === undefined ? new Set<string>() : heldBack(now);
    told = [...found].filter((message) => held.has(message)).map((message) => ({ message, hint }));
    held = found;
    // What is new is looked at once more.
    if (told.length < held.size) touch();
    onTold();
  };
  const touch = (): void => {
    cancel ??= clock.after(lookEveryMs, look);
  };
  return { touch, problems: () => told, close: () => cancel?.() };
}

const hint = "The targetRef of an endpoint names a pod of its namespace; leave it out for an address that is no pod.";

function heldBack({ slices, pods }: KubeObjects): ReadonlySet<string> {
  const findPod: FindPod = (key) => pods.get(key)?.kept;
  const found = new Set<string>();
  for (const [key, { kept }] of slices) {
    for (const endpoint of kept?.endpoints ?? []) {
      if (endpoint.pod === undefined || endpoint.condition === "gone") continue;
      if (kept === undefined || podOfEndpoint(kept, endpoint, findPod) !== undefined) continue;
      const { address, pod } = endpoint;
      found.add(`EndpointSlice ${key}: ${address} is held back, because its pod ${pod.name} is not known.`);
    }
  }
  return found;
}
