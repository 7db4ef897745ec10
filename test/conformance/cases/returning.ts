import type { CaseContext } from "../case.ts";
import type { XdsStream } from "../client/stream.ts";
import { edsCluster, resource } from "../resources.ts";
import { gather } from "./gather.ts";

/** Name to version, as `initial_resource_versions` wants it. */
export type Versions = Readonly<Record<string, string>>;

/** A stream of clusters and one of endpoints; on ADS they are the same. */
export function openBoth({ variant, open }: CaseContext): { readonly CDS: XdsStream; readonly EDS: XdsStream } {
  const clusters = open({ type: "CDS" });
  return { CDS: clusters, EDS: variant.ads ? clusters : open({ type: "EDS" }) };
}

/** Puts clusters and their endpoints; a delta client follows both, accepts them and is gone. What it knows then. */
export async function leftClusters(
  context: CaseContext,
  names: readonly string[],
): Promise<{ readonly clusters: Versions; readonly endpoints: Versions }> {
  await context.put(...names.flatMap((one) => [edsCluster(one), resource("EDS", one)]));
  const { CDS, EDS } = openBoth(context);
  const follow = async (stream: XdsStream, type: "CDS" | "EDS", subscribe: readonly string[]): Promise<Versions> => {
    stream.send(type, { subscribe });
    const { resources } = await gather(stream, type, { present: names });
    return Object.fromEntries([...resources].map(([one, { version }]) => [one, version]));
  };
  const clusters = await follow(CDS, "CDS", ["*"]);
  const endpoints = await follow(EDS, "EDS", names);
  for (const stream of new Set([CDS, EDS])) {
    stream.halfClose();
    await stream.status();
  }
  return { clusters, endpoints };
}
