import type { Resource, ResourceMap } from "../envoy/resource-set.ts";

/**
 * What was refused as one of several in a response is sent again with half of the others, so that the good ones arrive and the
 * culprit stands alone in the end; each group is sent once, and what was refused alone is not sent again until it changes.
 */
export interface Retries {
  /** The next first. What became of their resources since is seen when a group's turn comes. */
  readonly groups: readonly (readonly Resource[])[];
  /** Groups that may still be sent before the rest is left as it is: a client that refuses everything is asked no further. */
  readonly left: number;
}

/** Enough to find some four culprits among 10 000. */
const mostRetries = 128;

export const newRetries: Retries = { groups: [], left: mostRetries };

/** After a refusal of these. */
export function splitRefused({ groups, left }: Retries, refused: readonly Resource[]): Retries {
  const rest = without(groups, refused);
  if (refused.length < 2) return { groups: rest, left };
  const middle = Math.ceil(refused.length / 2);
  return { groups: [refused.slice(0, middle), refused.slice(middle), ...rest], left };
}

/** After something new was sent: what it carries need not be sent again otherwise. */
export const afterNews = ({ groups }: Retries, sent: readonly Resource[]): Retries => ({
  groups: without(groups, sent),
  left: mostRetries,
});

function without(groups: Retries["groups"], resources: readonly Resource[]): Retries["groups"] {
  if (groups.length === 0) return groups;
  const names = new Set(resources.map(({ name }) => name));
  return groups.map((group) => group.filter(({ name }) => !names.has(name)));
}

/** The next group, without what has changed, or was taken otherwise, since. */
export function nextRetry(
  { groups, left }: Retries,
  offered: ResourceMap,
  refused: ReadonlySet<string>,
): { readonly group: readonly Resource[]; readonly rest: Retries } {
  const isUnchanged = ({ name, version }: Resource): boolean => offered.get(name)?.version === version;
  for (const [index, group] of groups.entries()) {
    if (left === 0) break;
    const still = group.filter((resource) => isUnchanged(resource) && refused.has(resource.name));
    if (still.length > 0) return { group: still, rest: { groups: groups.slice(index + 1), left: left - 1 } };
  }
  return { group: [], rest: { groups: [], left } };
}
