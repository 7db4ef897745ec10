import { setTimeout as delay } from "node:timers/promises";
import type { KubeApi, KubeEvent, KubeObject } from "./kube-api.ts";

const pauseMs = 200;

/** Tells of each object of a list as it is, at first and after each change, through outages too. Returns its end. */
export function follow(
  api: KubeApi,
  path: string,
  onChange: (object: KubeObject, isGone: boolean) => void,
): () => Promise<void> {
  const ended = new AbortController();
  let known: ReadonlyMap<string, KubeObject> = new Map();
  // Not by its name: another one may have come under it meanwhile.
  const idOf = ({ metadata: { uid } }: KubeObject): string => String(uid);

  const listAndWatch = async (): Promise<void> => {
    const { version, items } = await api.list(path);
    const now = new Map(items.map((item) => [idOf(item), item]));
    for (const [id, object] of known) if (!now.has(id)) onChange(object, true);
    for (const item of items) onChange(item, false);
    known = now;
    const hear = ({ type, object }: KubeEvent): void => {
      if (type === "DELETED") now.delete(idOf(object));
      else if (type === "ADDED" || type === "MODIFIED") now.set(idOf(object), object);
      else return;
      onChange(object, type === "DELETED");
    };
    await api.watch(path, version, hear, ended.signal);
  };

  const rounds = (async () => {
    while (!ended.signal.aborted) await listAndWatch().catch(() => delay(pauseMs));
  })();
  return async () => {
    ended.abort();
    await rounds;
  };
}
