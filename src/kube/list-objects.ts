import type { KubeClient, Query } from "./client.ts";
import { KubeFailure } from "./failure.ts";
import type { Listing, ObjectStore } from "./object-store.ts";
import type { KubeObject, KubeResource } from "./reflector.ts";
import { metaOf, objectOf } from "./watch-event.ts";

export interface ListOptions {
  readonly client: KubeClient;
  readonly resource: KubeResource<object>;
  readonly store: Pick<ObjectStore<object>, "list">;
  /** `0`: any that the server has at hand; empty: the newest; else one that is not older. */
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
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

async function readPages({ client, resource, store, signal }: ListOptions, first: Query): Promise<Listed> {
  const listing = store.list();
  let resourceVersion: string | undefined;
  let query = first;
  for (;;) {
    const page = await client
      .send({ path: pathOf(resource), query: { ...selectors(resource), ...query }, signal })
      .catch((failure: unknown) => {
        const expired = query["continue"] !== undefined && failure instanceof KubeFailure && failure.kind === "gone";
        throw expired ? new ExpiredPage() : failure;
      });
    const { resourceVersion: version, continue: next } = objectOf(page["metadata"]) ?? {};
    if (typeof version !== "string" || version === "") throw brokenList(resource);
    resourceVersion ??= version;
    for (const item of itemsOf(page)) {
      const meta = metaOf(item);
      if (meta === undefined) throw brokenList(resource);
      listing.put(meta, item);
    }
    if (typeof next !== "string" || next === "") return { listing, resourceVersion };
    query = { limit: String(pageSize), continue: next };
  }
}

/** Without the last word, a limit together with a version would ask for exactly that version. */
const versionQuery = (version: string): Query => {
  if (version === "") return {};
  return version === "0"
    ? { resourceVersion: "0" }
    : { resourceVersion: version, resourceVersionMatch: "NotOlderThan" };
};

/** An empty list of some kinds says `null`. */
function itemsOf({ items }: KubeObject): readonly KubeObject[] {
  return Array.isArray(items) ? items.map((item) => objectOf(item) ?? {}) : [];
}

const brokenList = (resource: KubeResource<object>): KubeFailure =>
  new KubeFailure("broken", `${pathOf(resource)} was answered with what is no list`);

export const pathOf = ({ base, plural, namespace }: KubeResource<object>): string =>
  namespace === undefined ? `${base}/${plural}` : `${base}/namespaces/${namespace}/${plural}`;

export const selectors = ({ labelSelector, fieldSelector }: KubeResource<object>): Query => ({
  ...(labelSelector !== undefined && { labelSelector }),
  ...(fieldSelector !== undefined && { fieldSelector }),
});
