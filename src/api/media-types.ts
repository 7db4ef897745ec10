export const json = "application/json";
export const yaml = "application/yaml";
export const eventStream = "text/event-stream";
export const mergePatch = "application/merge-patch+json";
export const jsonPatch = "application/json-patch+json";

/** Other names of the same. RFC 9512 registers `application/yaml`; these were there before. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["application/x-yaml", yaml],
  ["text/yaml", yaml],
  ["text/x-yaml", yaml],
]);

const maxHeaderLength = 1_024;

/** The type of a `Content-Type` header, in lower case and by its one name; undefined for another charset than UTF-8. */
export function mediaTypeOf(header: string): string | undefined {
  const [type = "", ...parameters] = header.slice(0, maxHeaderLength).split(";");
  const isForeign = (parameter: string) => /^\s*charset\s*=/i.test(parameter) && !/=\s*"?utf-?8"?\s*$/i.test(parameter);
  return parameters.some(isForeign) ? undefined : canonical(type);
}

function canonical(type: string): string {
  const name = type.trim().toLowerCase();
  return aliases.get(name) ?? name;
}

/**
 * The type that an `Accept` header likes best of those offered, the earlier one where it likes two the same; undefined when it takes
 * none. No header, or one that cannot be read, takes everything.
 */
export function negotiate<T extends string>(accept: string | undefined, offered: readonly T[]): T | undefined {
  const ranges = (accept ?? "*/*").slice(0, maxHeaderLength).split(",").map(rangeOf);
  const liked = offered.map((type) => ({ type, quality: qualityOf(type, ranges) }));
  return liked.reduce((best, next) => (next.quality > best.quality ? next : best), { type: undefined, quality: 0 } as {
    readonly type: T | undefined;
    readonly quality: number;
  }).type;
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

function rangeOf(text: string): Range {
  const [type = "", ...parameters] = text.split(";");
  const quality = parameters.map((parameter) => /^\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*$/i.exec(parameter)?.[1]);
  const given = quality.find((value) => value !== undefined);
  return { type: canonical(type), quality: given === undefined ? 1 : Math.min(1, Number(given)) };
}

/** The most specific range that fits says it. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const [family = ""] = type.split("/");
  for (const wanted of [type, `${family}/*`, "*/*"]) {
    const range = ranges.find((candidate) => candidate.type === wanted);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
