import { nearest } from "../base/nearest.ts";
import type { Problem } from "./problem.ts";
import type { Route } from "./route.ts";
import { matchesStep } from "./route-path.ts";

/** Why a request has no route: nothing is served under its path, or not by its method. */
export function nothingHere(method: string, path: string, served: readonly Route[]): Problem {
  const here = served.filter((route) => matchesPath(route.path, path)).map((route) => route.method);
  if (here.length === 0) {
    const hint = hintOf(path, served);
    return {
      code: "api/not-found",
      detail: "Nothing is served under this path.",
      ...(hint !== undefined && { hint }),
      headers: { connection: "close" },
    };
  }
  const allow = [...new Set(here.flatMap((each) => (each === "GET" ? ["GET", "HEAD"] : [each])))].join(", ");
  const detail = `${method} is not possible here.`;
  const hint = `Possible: ${allow}.`;
  return { code: "api/method-not-allowed", detail, hint, headers: { allow, connection: "close" } };
}

/** Names the first step of a path of the API that leads nowhere, as it may have been meant, and what there is in its place. */
function hintOf(path: string, served: readonly Route[]): string | undefined {
  if (!path.startsWith("/api/")) return undefined;
  const given = path.split("/");
  const shorter = path.replace(/\/+$/, "");
  if (shorter !== path && served.some((route) => matchesPath(route.path, shorter))) {
    return `Leave the slash at the end out: ${shorter}.`;
  }
  const patterns = served.map((route) => route.path.split("/"));
  const leading = (count: number) => patterns.filter((steps) => beginsWith(steps, given.slice(0, count)));
  const end = given.findIndex((_, index) => leading(index + 1).length === 0);
  const depth = end === -1 ? given.length : end;
  const steps = leading(depth).flatMap((pattern) => pattern[depth] ?? []);
  const known = [...new Set(steps.filter((step) => !step.startsWith(":")))];
  if (known.length === 0) return undefined;
  const near = nearest(given[depth] ?? "", known);
  const meant = near === undefined ? [] : [`Did you mean ${[...given.slice(0, depth), near].join("/")}?`];
  return [...meant, `There are ${known.join(", ")}.`].join(" ");
}

const beginsWith = (pattern: readonly string[], given: readonly string[]): boolean =>
  pattern.length >= given.length && given.every((step, index) => matchesStep(pattern[index] ?? "", step));

function matchesPath(pattern: string, path: string): boolean {
  const steps = pattern.split("/");
  const given = path.split("/");
  return steps.length === given.length && beginsWith(steps, given);
}
