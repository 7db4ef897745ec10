import type { Page } from "./types/pages.ts";

export interface PageRequest {
  readonly limit: number;
  /** The last item of the page before; absent for the first page. */
  readonly after?: PagePosition;
}

/** A place in an ordered list that holds while items come and go: the key, and which one of several with that key. */
export interface PagePosition {
  readonly key: string;
  readonly ordinal: number;
}

export const defaultPageLimit = 100;
export const maxPageLimit = 1_000;
const maxTokenLength = 8_192;

/** A number from 1 to `maxPageLimit`; undefined for any other text. */
export function parsePageLimit(text: string): number | undefined {
  const limit = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  return limit >= 1 && limit <= maxPageLimit ? limit : undefined;
}

/** The opaque text of a position, for a URL. */
export const formatPageToken = ({ key, ordinal }: PagePosition): string =>
  Buffer.from(`${ordinal}:${key}`).toString("base64url");

/** The inverse of `formatPageToken`; undefined for a text that is none. */
export function parsePageToken(token: string): PagePosition | undefined {
  if (token.length > maxTokenLength || !/^[A-Za-z0-9_-]+$/.test(token)) return undefined;
  const [, ordinal, key] = /^(0|[1-9][0-9]{0,8}):(.*)$/s.exec(Buffer.from(token, "base64url").toString()) ?? [];
  return ordinal === undefined || key === undefined ? undefined : { key, ordinal: Number(ordinal) };
}

/** One page of `items` in the order of their keys; items with equal keys keep their order. */
export function pageOf<T>(items: readonly T[], keyOf: (item: T) => string, { limit, after }: PageRequest): Page<T> {
  const placed = placeAll(items, keyOf);
  const start = after === undefined ? 0 : placed.findIndex(({ position }) => comparePositions(position, after) > 0);
  const page = start < 0 ? [] : placed.slice(start, start + limit);
  const last = page.at(-1);
  const more = last !== undefined && last !== placed.at(-1);
  return {
    items: page.map(({ item }) => item),
    total: items.length,
    ...(more && { continue: formatPageToken(last.position) }),
  };
}

interface Placed<T> {
  readonly item: T;
  readonly position: PagePosition;
}

function placeAll<T>(items: readonly T[], keyOf: (item: T) => string): readonly Placed<T>[] {
  const seen = new Map<string, number>();
  const placed = items.map((item) => {
    const key = keyOf(item);
    const ordinal = seen.get(key) ?? 0;
    seen.set(key, ordinal + 1);
    return { item, position: { key, ordinal } };
  });
  return placed.sort((a, b) => comparePositions(a.position, b.position));
}

function comparePositions(a: PagePosition, b: PagePosition): number {
  return a.key < b.key ? -1 : Number(a.key > b.key) || a.ordinal - b.ordinal;
}
