import type { Units } from "../envoy/string-matcher.ts";

/** What differs between releases of Envoy, where one and the same configuration means something else. */
export interface Semantics {
  /** The values of one header are looked at one by one; else as one text, joined by commas. */
  readonly headersApart: boolean;
  /** Path parameters that are ignored are those of each segment; else all that follows the first `;`. */
  readonly parametersBySegment: boolean;
  /** In a path that is made normal `..;a=b` leads up as `..` does; else it is a name. */
  readonly dotsWithParameters: boolean;
  /** A variable of a template may have text before and after it in its segment; else it is a whole one, but for the last. */
  readonly variablesInSegments: boolean;
  /** What a dot in a regular expression stands for. */
  readonly regexUnits: Units;
}

/** How the routes of one table match. */
export interface Manner extends Semantics {
  /** Parameters in a path, such as `;v=1`, are no part of it. */
  readonly ignoresParameters: boolean;
}

const present: Semantics = {
  headersApart: true,
  parametersBySegment: true,
  dotsWithParameters: true,
  variablesInSegments: true,
  regexUnits: "bytes",
};

/** Before security fixes about parameters in paths. */
const unfixed = { parametersBySegment: false, dotsWithParameters: false };

const upTo38: Semantics = { ...present, headersApart: false, variablesInSegments: false, regexUnits: "characters" };

/** Newest first; what is newer than all of them is as the first one. */
const releases: readonly (readonly [since: readonly [minor: number, patch: number], Semantics])[] = [
  [[39, 1], present],
  [[39, 0], { ...present, ...unfixed }],
  // Between this line and 1.36 regular expressions and templates changed; in which of them is not known here.
  [[38, 4], upTo38],
  [[38, 0], { ...upTo38, ...unfixed }],
  [[37, 6], upTo38],
  [[37, 0], { ...upTo38, ...unfixed }],
  [[36, 10], upTo38],
  [[0, 0], { ...upTo38, ...unfixed }],
];

/** Of a release such as `1.36.4`; of a present one for a text that is no version. */
export function semanticsOf(version: string | undefined): Semantics {
  const [, minor, patch] = /^1\.([0-9]+)\.([0-9]+)/.exec(version ?? "") ?? [];
  const found = releases.find(
    ([[fromMinor, fromPatch]]) =>
      minor === undefined || Number(minor) > fromMinor || (Number(minor) === fromMinor && Number(patch) >= fromPatch),
  );
  return found?.[1] ?? present;
}

/** Of a client as it names itself; who is no Envoy has no releases of Envoy. */
export const semanticsOfClient = ({ name, version }: { readonly name: string; readonly version: string }): Semantics =>
  name === "envoy" ? semanticsOf(version) : present;
