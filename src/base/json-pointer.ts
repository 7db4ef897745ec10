/** A JSON pointer (RFC 6901), for example `/spec/http/0/route/1/weight`; the whole document is the empty string. */
export type JsonPointer = string;

/** One more step down from a pointer, with `~` and `/` in the step escaped. */
export function pointerTo(parent: JsonPointer, step: string | number): JsonPointer {
  return `${parent}/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The steps of a pointer, unescaped; the inverse of repeated `pointerTo`. */
export function pointerSteps(pointer: JsonPointer): readonly string[] {
  if (pointer === "") return [];
  return pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}
