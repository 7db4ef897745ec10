import type { EnvoyAdmin } from "../../src/app/envoy/admin.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";

/**
 * Names and versions of what an Envoy holds from us and uses; `warming` lists what it does not use yet. Listeners that drain are
 * not in use any more; their route tables stay in the dump until they are gone.
 */
export interface HeldResources {
  readonly CDS: Readonly<Record<string, string>>;
  readonly LDS: Readonly<Record<string, string>>;
  readonly RDS: Readonly<Record<string, string>>;
  readonly warming: readonly string[];
}

interface Dump {
  readonly configs?: readonly {
    readonly dynamic_active_clusters?: readonly {
      readonly version_info?: string;
      readonly cluster: { readonly name: string };
    }[];
    readonly dynamic_warming_clusters?: readonly { readonly cluster: { readonly name: string } }[];
    readonly dynamic_listeners?: readonly {
      readonly name: string;
      readonly active_state?: { readonly version_info?: string };
      readonly warming_state?: object;
      readonly error_state?: object;
    }[];
    readonly dynamic_route_configs?: readonly {
      readonly version_info?: string;
      readonly route_config: { readonly name: string };
    }[];
  }[];
}

export async function heldResources(admin: EnvoyAdmin): Promise<HeldResources> {
  const { configs = [] } = (await admin.configDump()) as Dump;
  const clusters = configs.flatMap((config) => config.dynamic_active_clusters ?? []);
  const listeners = configs.flatMap((config) => config.dynamic_listeners ?? []);
  const routes = configs.flatMap((config) => config.dynamic_route_configs ?? []);
  return {
    CDS: byName(clusters.map(({ cluster, version_info }) => [cluster.name, version_info])),
    LDS: byName(
      listeners.flatMap(({ name, active_state }) => (active_state ? [[name, active_state.version_info]] : [])),
    ),
    RDS: byName(routes.map(({ route_config, version_info }) => [route_config.name, version_info])),
    warming: [
      ...configs.flatMap((config) => config.dynamic_warming_clusters ?? []).map(({ cluster }) => cluster.name),
      ...listeners.filter(({ warming_state, error_state }) => warming_state ?? error_state).map(({ name }) => name),
    ],
  };
}

/** What an Envoy should hold of a set, in the same shape. (A dump has no versions of endpoints.) */
export function versionsOf({ resources }: ResourceSet): HeldResources {
  const table = (type: "CDS" | "LDS" | "RDS") =>
    byName([...resources[type].values()].map(({ name, version }) => [name, version]));
  return { CDS: table("CDS"), LDS: table("LDS"), RDS: table("RDS"), warming: [] };
}

function byName(pairs: readonly (readonly [string, string | undefined])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...pairs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, version]) => [name, version ?? ""]),
  );
}
