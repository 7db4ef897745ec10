import { type Decoder, list } from "../../base/decode.ts";
import { optional, required } from "../../base/decode-object.ts";
import { anyText, number, shape } from "../../base/shape.ts";
import type { Page } from "../types/pages.ts";

export const pageFields = { total: required(number), continue: optional(anyText) };

/** A page of a list of such items. */
export const pageOf = <T>(item: Decoder<T>): Decoder<Page<T>> =>
  shape<Page<T>>({ items: required(list(item)), ...pageFields });
