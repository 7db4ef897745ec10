import { type Decoder, failed, integer, list, text } from "../base/decode.ts";
import { object, optional, required } from "../base/decode-object.ts";
import { askJson } from "./request.ts";
import type { Server } from "./server.ts";

const limits = { itemsPerPage: 500, pages: 1_000 } as const;

/** An item of a list as it came, and as far as the command reads it. */
export interface Listed<T> {
  readonly raw: unknown;
  readonly item: T;
}

export interface WholeList<T> {
  readonly items: readonly Listed<T>[];
  /** That the first page showed; lists of rules have one. */
  readonly revision?: number;
}

/** All items of a list of the API, page by page. */
export async function listAll<T>(
  server: Server,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  item: Decoder<T>,
): Promise<WholeList<T>> {
  const page = object(
    {
      items: required(list(withRaw(item), { max: limits.itemsPerPage })),
      continue: optional(text({ maxLength: 16_384 })),
      revision: optional(integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
    },
    { open: true },
  );
  const items: Listed<T>[] = [];
  let revision: number | undefined;
  let after: string | undefined;
  for (let pages = 0; pages < limits.pages; pages++) {
    const request = { path, query: { ...query, limit: String(limits.itemsPerPage), continue: after } };
    const { value } = await askJson(server, request, page);
    items.push(...value.items);
    revision ??= value.revision;
    after = value.continue;
    if (after === undefined) break;
  }
  return { items, ...(revision !== undefined && { revision }) };
}

const withRaw =
  <T>(decoder: Decoder<T>): Decoder<Listed<T>> =>
  (raw, site) => {
    const item = decoder(raw, site);
    return item === failed ? failed : { raw, item };
  };
