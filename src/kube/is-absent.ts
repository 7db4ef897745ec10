import type { KubeClient } from "./client.ts";
import { KubeFailure } from "./failure.ts";
import type { KubeResource } from "./reflector.ts";
import { objectOf } from "./watch-event.ts";

/**
 * Whether an API server itself says that it does not know the kind. A 404 alone says little: whatever stands in front of a server
 * may have made it, and then nothing of what is known is to be thrown away.
 */
export async function isAbsent(
  client: KubeClient,
  { base, plural }: KubeResource<object>,
  signal: AbortSignal,
): Promise<boolean> {
  const resources = await names(client, base, "APIResourceList", "resources", signal);
  if (resources !== undefined) return !resources.includes(plural);
  const [, , group, version] = base.split("/");
  const groups = await names(client, "/apis", "APIGroupList", "groups", signal);
  if (groups === undefined || group === undefined) return false;
  if (!groups.includes(group)) return true;
  const versions = await names(client, `/apis/${group}`, "APIGroup", "versions", signal, "version");
  return versions !== undefined && !versions.includes(version ?? "");
}

/** The names that a discovery document lists; undefined: it is not there, or none. */
async function names(
  client: KubeClient,
  path: string,
  kind: string,
  list: string,
  signal: AbortSignal,
  field = "name",
): Promise<readonly unknown[] | undefined> {
  const document = await client.send({ path, signal }).catch((failure: unknown) => {
    if (failure instanceof KubeFailure) return undefined;
    throw failure;
  });
  const items = document?.[list];
  if (document?.["kind"] !== kind || !Array.isArray(items)) return undefined;
  return items.map((item) => objectOf(item)?.[field]);
}
