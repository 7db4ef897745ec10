import type { OrderedMap } from "../base/ordered-map.ts";
import type { Signal } from "../base/signal.ts";

/** An object as the API server tells it. Nothing of it is checked but its name, namespace, uid and resource version. */
export type KubeObject = Readonly<Record<string, unknown>>;

/** Where one kind of object is, and what of each object is kept. */
export interface KubeResource<T extends object> {
  /** `/api/v1` or `/apis/discovery.k8s.io/v1`. */
  readonly base: string;
  /** `endpointslices`. */
  readonly plural: string;
  /** One namespace; absent: all. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /**
   * At the door: what the model needs of it, small plain data; undefined: the object is of no interest. Throws nothing: what cannot
   * be read is told in the result.
   */
  readonly project: (object: KubeObject) => T | undefined;
}

/** The objects of one kind, kept equal to the server's. */
export interface Reflector<T extends object> {
  /**
   * By `namespace/name`, or `name` of what has no namespace; undefined until the first complete list. Kept through outages. An equal
   * projection keeps the old object's identity, unless the object was made anew (another uid); one batch of events is one new map.
   */
  readonly objects: Signal<OrderedMap<string, T> | undefined>;
  readonly state: Signal<ReflectorState>;
  readonly close: () => Promise<void>;
}

export interface ReflectorState {
  /**
   * `starting`: no complete list yet. `live`. `lost`: no contact, the objects are the last good ones. `absent`: the server does not
   * know the kind, which counts as synced and empty.
   */
  readonly kind: "starting" | "live" | "lost" | "absent";
  /** Since when, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Why it is not live, for people. */
  readonly problem?: ReflectorProblem;
}

export interface ReflectorProblem {
  readonly message: string;
  readonly hint: string;
}
