import { OrderedMap } from "../base/ordered-map.ts";
import { shareUnchanged } from "../base/share.ts";
import type { KubeObject } from "./reflector.ts";
import type { ObjectMeta } from "./watch-event.ts";

/** What is kept of the objects of one kind. */
export interface ObjectStore<T extends object> {
  readonly put: (meta: ObjectMeta, object: KubeObject) => void;
  readonly remove: (meta: ObjectMeta) => void;
  /** Begins a complete list; what is kept stays as it is until the list is done. */
  readonly list: () => Listing;
  /** All that is kept, with what came since the last call; the same map when that changed nothing. */
  readonly objects: () => OrderedMap<string, T>;
}

/** Events of a list that is streamed may change what it has said before. */
export interface Listing extends Pick<ObjectStore<object>, "put" | "remove"> {
  /** From now on exactly what was listed is kept. */
  readonly done: () => void;
}

interface Known<T> {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly object: T;
}

/** Objects of no interest leave no trace. */
export function createObjectStore<T extends object>(
  project: (object: KubeObject) => T | undefined,
  onError: (key: string, error: unknown) => void,
): ObjectStore<T> {
  let known = new Map<string, Known<T>>();
  let current = OrderedMap.of<string, T>();
  const changed = new Map<string, T | undefined>();

  const make = ({ key, uid, resourceVersion }: ObjectMeta, object: KubeObject): Known<T> | undefined => {
    // What was made anew is another thing, however equal: nothing of the old one is kept.
    const old = known.get(key)?.uid === uid ? known.get(key) : undefined;
    if (old !== undefined && resourceVersion !== "" && old.resourceVersion === resourceVersion) return old;
    try {
      const projected = project(object);
      return projected && { uid, resourceVersion, object: shareUnchanged(old?.object, projected) };
    } catch (error) {
      onError(key, error);
      return old;
    }
  };

  const set = (key: string, next: Known<T> | undefined): void => {
    changed.set(key, next?.object);
    if (next === undefined) known.delete(key);
    else known.set(key, next);
  };

  return {
    put: (meta, object) => set(meta.key, make(meta, object)),
    remove: ({ key }) => set(key, undefined),
    list() {
      const listed = new Map<string, Known<T>>();
      return {
        put(meta, object) {
          const next = make(meta, object);
          if (next === undefined) listed.delete(meta.key);
          else listed.set(meta.key, next);
        },
        remove: ({ key }) => void listed.delete(key),
        done() {
          for (const key of known.keys()) if (!listed.has(key)) changed.set(key, undefined);
          for (const [key, { object }] of listed) changed.set(key, object);
          known = listed;
        },
      };
    },
    objects() {
      current = current.with(changed);
      changed.clear();
      return current;
    },
  };
}
