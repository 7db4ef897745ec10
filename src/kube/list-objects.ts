import type { Clock } from "../base/clock.ts";
import type { KubeClient, Query } from "./client.ts";
import { KubeFailure } from "./failure.ts";
import { createListSplitter } from "./list-splitter.ts";
import type { Listing, ObjectStore } from "./object-store.ts";
import { readStream } from "./read-stream.ts";
import type { KubeObject, KubeResource } from "./reflector.ts";
import type { ReflectorTimes } from "./times.ts";
import { metaOf, objectOf, parsedObject } from "./watch-event.ts";

export interface ListOptions {
  readonly client: KubeClient;
  readonly resource: KubeResource<object>;
  readonly store: Pick<ObjectStore<object>, "list">;
  /** `0`: any that the server has at hand; empty: the newest; else one that is not older. */
  readonly resourceVersion: string;
  readonly clock: Clock;
  readonly times: ReflectorTimes;
  /** Ends it; it is aborted by itself when the server falls silent. */
  readonly controller: AbortController;
}

export interface Listed {
  readonly listing: Listing;
  readonly resourceVersion: string;
}

/** Objects in one answer. */
const pageSize = 500;

/** Reads all objects, page by page. All pages are of one version, that of the first. */
export async function listObjects(options: ListOptions): Promise<Listed> {
  try {
    return await readPages(options, { ...versionQuery(options.resourceVersion), limit: String(pageSize) });
  } catch (failure) {
    // Too slow for the server, which has forgotten the version meanwhile: all at once cannot be.
    if (!(failure instanceof ExpiredPage)) throw failure;
    return readPages(options, versionQuery(""));
  }
}

class ExpiredPage extends Error {}

async function readPages(options: ListOptions, first: Query): Promise<Listed> {
  const { resource, store } = options;
  const listing = store.list();
  let resourceVersion: string | undefined;
  let query = first;
  for (;;) {
    const page = await readPage(options, query, listing).catch((failure: unknown) => {
      const expired = query["continue"] !== undefined && failure instanceof KubeFailure && failure.kind === "gone";
      throw expired ? new ExpiredPage() : failure;
    });
    const { resourceVersion: version, continue: next } = objectOf(page["metadata"]) ?? {};
    if (typeof version !== "string" || version === "") throw brokenList(resource);
    resourceVersion ??= version;
    if (typeof next !== "string" || next === "") return { listing, resourceVersion };
    query = { limit: String(pageSize), continue: next };
  }
}

/** Bytes of one object, and of a list without its objects. */
const [maxObjectBytes, maxRestBytes] = [16 * 1024 * 1024, 1024 * 1024];

/** Takes the objects one by one as they come; returns what else the list says. */
async function readPage(options: ListOptions, query: Query, listing: Listing): Promise<KubeObject> {
  const { client, resource, clock, times, controller } = options;
  const path = pathOf(resource);
  const splitter = createListSplitter(maxObjectBytes, maxRestBytes);
  await readStream({
    ...{ client, clock, path, query: { ...selectors(resource), ...query }, controller },
    patienceMs: () => times.listSilenceMs,
    onChunk: (chunk) => {
      for (const text of splitter.push(chunk)) {
        const item = parsedObject(text);
        const meta = item && metaOf(item);
        if (meta === undefined) throw brokenList(resource);
        listing.put(meta, item ?? {});
      }
    },
  });
  const list = parsedObject(splitter.rest());
  if (list === undefined) throw brokenList(resource);
  return list;
}

/** Without the last word, a limit together with a version would ask for exactly that version. */
const versionQuery = (version: string): Query => {
  if (version === "") return {};
  return version === "0"
    ? { resourceVersion: "0" }
    : { resourceVersion: version, resourceVersionMatch: "NotOlderThan" };
};

const brokenList = (resource: KubeResource<object>): KubeFailure =>
  new KubeFailure("broken", `${pathOf(resource)} was answered with what is no list`);

export const pathOf = ({ base, plural, namespace }: KubeResource<object>): string =>
  namespace === undefined ? `${base}/${plural}` : `${base}/namespaces/${namespace}/${plural}`;

export const selectors = ({ labelSelector, fieldSelector }: KubeResource<object>): Query => ({
  ...(labelSelector !== undefined && { labelSelector }),
  ...(fieldSelector !== undefined && { fieldSelector }),
});
