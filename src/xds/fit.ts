import { memoize } from "../base/memo.ts";
import type { ResponseContent } from "../envoy/discovery-response.ts";
import type { Resource } from "../envoy/resource-set.ts";
import type { ResourceType } from "../envoy/resource-types.ts";

/** A response is cut into parts where it may be; each below what every client takes. Bytes. */
const partBytes = 4_000_000;

/** What of a content goes out now. */
export interface Fitted {
  readonly content: ResponseContent;
  /** Something was left for the next response. */
  readonly partial: boolean;
  /** Too large for the client even alone. */
  readonly oversized: readonly Resource[];
}

/** The first part of a content; at least one item. `maxBytes`: the largest response that the client takes. */
export const firstPart = memoize((type: ResourceType, content: ResponseContent, maxBytes: number): Fitted => {
  if (estimate(type, content) <= partBytes) return { content, partial: false, oversized: [] };
  let left = partBytes;
  let partial = false;
  const take = <T>(items: readonly T[], size: (item: T) => number): readonly T[] => {
    const taken: T[] = [];
    for (const item of items) {
      const bytes = size(item);
      if (partial || (bytes > left && left < partBytes)) {
        partial = true;
        break;
      }
      left -= bytes;
      taken.push(item);
    }
    return taken;
  };
  const fits = (resource: Resource): boolean => resourceBytes(type, resource) <= maxBytes;
  return {
    content: {
      ...content,
      removed: take(content.removed, nameBytes),
      missing: take(content.missing, errorBytes),
      unavailable: take(content.unavailable, errorBytes),
      bodiless: take(content.bodiless, errorBytes),
      resources: take(content.resources.filter(fits), (resource) => resourceBytes(type, resource)),
    },
    partial,
    oversized: content.resources.filter((resource) => !fits(resource)),
  };
});

/** The encoded size, and little more. Bytes. */
export const estimate = memoize((type: ResourceType, content: ResponseContent): number => {
  const { resources, removed, missing, unavailable, bodiless } = content;
  let bytes = 1_024;
  for (const resource of resources) bytes += resourceBytes(type, resource);
  for (const name of removed) bytes += nameBytes(name);
  for (const name of [...missing, ...unavailable]) bytes += errorBytes(name);
  for (const name of bodiless) bytes += errorBytes(name);
  return bytes;
});

const nameBytes = (name: string): number => Buffer.byteLength(name) + 8;
const errorBytes = (name: string): number => 2 * nameBytes(name) + 64;
const resourceBytes = ({ url }: ResourceType, { name, version, bytes }: Resource): number =>
  bytes.length + url.length + nameBytes(name) + version.length + 32;
