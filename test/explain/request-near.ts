import type {
  HeaderMatcher,
  QueryParameterMatcher,
  RouteConfiguration,
  RouteMatch,
  StringMatcher,
} from "../../src/envoy/route-messages.ts";
import { matchTemplateOf } from "../../src/envoy/uri-template-messages.ts";
import type { Request } from "../../src/explain/request.ts";
import type { Random } from "../support/random.ts";
import { patternSamples, randomRequest, samplePath } from "./random-table.ts";

/** A request that one of the routes takes, or would but for a little. */
export function requestNear(random: Random, { virtualHosts }: RouteConfiguration): Request {
  const other = randomRequest(random);
  const host = random.pick(virtualHosts);
  const { match } = random.pick(host.routes);
  if (match === undefined) return other;
  const authority = random.pick(host.domains).replace("*", random.pick(["a.com", "b", "c.b", "x", ""]));
  const query = match.queryParameters.map((one) => `${one.name}${parameterNear(random, one)}`);
  const mostly = <T>(near: T, far: T): T => (random.chance(0.85) ? near : far);
  return {
    ...other,
    authority: mostly(authority, other.authority) || "a.com",
    path: mostly(`${pathNear(random, match)}${query.length > 0 ? `?${query.join("&")}` : ""}`, other.path ?? "/"),
    headers: [
      ...match.headers.flatMap((one) => headersNear(random, one)),
      ...(match.grpc === undefined ? [] : [["content-type", "application/grpc"] as const]),
      ...mostly([], other.headers),
    ],
  };
}

function pathNear(random: Random, { pathSpecifier: wanted, caseSensitive }: RouteMatch): string {
  const inCase = (path: string): string =>
    random.chance(caseSensitive === false ? 0.4 : 0.05) ? swapCase(path) : path;
  switch (wanted.case) {
    case "prefix":
      return inCase(`${wanted.value}${random.pick(["", "", "/", "a", "/a", ";v"])}`);
    case "path":
      return inCase(`${wanted.value}${random.pick(["", "", "", "/", "a", ";v=1"])}`);
    case "pathSeparatedPrefix":
      return inCase(`${wanted.value}${random.pick(["", "/", "/a", "a", ";v", "/a;v"])}`);
    case "pathMatchPolicy":
      return inCase(pathOfTemplate(random, matchTemplateOf(wanted.value) ?? ""));
    default:
      return samplePath(random);
  }
}

/** A path that fits, or would but for a little. */
export const pathOfTemplate = (random: Random, template: string): string =>
  template
    .replaceAll(/\{[^=}]*=([^}]*)\}/g, "$1")
    .replaceAll(/\{[^}]*\}/g, "*")
    .replaceAll("**", () => random.pick(["", "a", "a/b", "a/b/", "a;v=1/", "a%2Fb"]))
    .replaceAll("*", () => random.pick(["a", "b", "ab", "1", "a.b", "a=1", "a;v", "", "*", "a%20b", "(a)"])) +
  random.pick(["", "", "", "/", "a"]);

const swapCase = (text: string): string =>
  text.replaceAll(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );

function textNear(random: Random, { matchPattern: wanted, ignoreCase }: StringMatcher): string {
  const inCase = (text: string): string => (random.chance(ignoreCase ? 0.5 : 0.1) ? swapCase(text) : text);
  switch (wanted.case) {
    case "exact":
      return inCase(`${wanted.value}${random.pick(["", "", "", "a"])}`);
    case "prefix":
      return inCase(`${random.pick(["", "", "", "1"])}${wanted.value}${random.pick(["", "1"])}`);
    case "suffix":
      return inCase(`${random.pick(["", "1"])}${wanted.value}${random.pick(["", "", "", "1"])}`);
    case "contains":
      return inCase(`${random.pick(["", "1"])}${wanted.value}${random.pick(["", "1"])}`);
    default:
      return random.pick(patternSamples);
  }
}

/** Names of our own alone: what stands in a pseudo header is said elsewhere. */
function headersNear(random: Random, { name, headerMatchSpecifier: wanted, invertMatch }: HeaderMatcher) {
  if (!name.toLowerCase().startsWith("x-") || name === "x-forwarded-proto") return [];
  const one = (): readonly [string, string] => [name, valueNear(random, wanted)];
  const isAbsent = wanted.case === "presentMatch" && wanted.value === invertMatch;
  if (random.chance(isAbsent ? 0.8 : 0.15)) return [];
  return random.chance(0.15) ? [one(), one()] : [one()];
}

function valueNear(random: Random, wanted: HeaderMatcher["headerMatchSpecifier"]): string {
  switch (wanted.case) {
    case "stringMatch":
      return textNear(random, wanted.value);
    case "rangeMatch": {
      const [start, end] = [Number(wanted.value.start), Number(wanted.value.end)];
      return random.pick([
        String(start),
        String(end - 1),
        String(end),
        String(start - 1),
        `+${start}`,
        ` ${start}`,
        "1a",
      ]);
    }
    default:
      return random.pick(["", "a"]);
  }
}

function parameterNear(random: Random, { queryParameterMatchSpecifier: wanted }: QueryParameterMatcher): string {
  if (wanted.case !== "stringMatch") return random.pick(["", "=", "=a"]);
  return random.chance(0.9) ? `=${encodeURI(textNear(random, wanted.value))}` : "";
}
