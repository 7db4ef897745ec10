import { failureOf, KubeFailure } from "./failure.ts";
import type { KubeObject } from "./reflector.ts";

/** What a watch says in one line. */
export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly meta: ObjectMeta; readonly object: KubeObject }
  /** All up to this version has been told. `listed`: this ends the list with which the watch began. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly listed: boolean };

/** What every object says of itself. */
export interface ObjectMeta {
  /** `namespace/name`, or `name` of what has no namespace. */
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Says so in the annotations of a bookmark. */
const initialEventsEnd = "k8s.io/initial-events-end";

/** `what` is watched, for messages. Throws KubeFailure for what is no event, and for the event that says that the watch has failed. */
export function readWatchEvent(what: string, line: string): WatchEvent {
  const { type, object } = parsedObject(line) ?? {};
  const body = objectOf(object);
  if (body === undefined) throw broken(what, line);
  if (type === "ERROR") throw failureOf(`watch of ${what}`, { status: 500, body });
  const { resourceVersion, annotations } = objectOf(body["metadata"]) ?? {};
  if (type === "BOOKMARK" && typeof resourceVersion === "string") {
    return { type, resourceVersion, listed: objectOf(annotations)?.[initialEventsEnd] === "true" };
  }
  const meta = metaOf(body);
  if ((type === "ADDED" || type === "MODIFIED" || type === "DELETED") && meta !== undefined) {
    return { type, meta, object: body };
  }
  throw broken(what, line);
}

/** undefined: it has no name. */
export function metaOf(object: KubeObject): ObjectMeta | undefined {
  const { name, namespace, uid, resourceVersion } = objectOf(object["metadata"]) ?? {};
  if (typeof name !== "string" || name === "") return undefined;
  return {
    key: typeof namespace === "string" && namespace !== "" ? `${namespace}/${name}` : name,
    uid: typeof uid === "string" ? uid : "",
    resourceVersion: typeof resourceVersion === "string" ? resourceVersion : "",
  };
}

export const objectOf = (value: unknown): KubeObject | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as KubeObject) : undefined;

/** undefined: it is no JSON, or no object. */
export function parsedObject(json: string): KubeObject | undefined {
  try {
    return objectOf(JSON.parse(json));
  } catch {
    return undefined;
  }
}

const shownChars = 80;

const broken = (what: string, line: string): KubeFailure =>
  new KubeFailure("broken", `the watch of ${what} said what is no event: ${line.slice(0, shownChars)}`);
