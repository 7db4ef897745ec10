import type { EnvoyProcess } from "../../src/app/envoy/launch.ts";

/** What must not move while nothing changes: listeners opened, changed or drained, clusters added, changed or warmed. */
const quietStats =
  "^(listener_manager\\.(listener_added|listener_modified|listener_removed|listener_in_place_updated|total_listeners_draining|total_listeners_warming)" +
  "|cluster_manager\\.(cluster_added|cluster_modified|cluster_removed|cluster_updated|warming_clusters))$";

/** These counters of each Envoy, by its name. */
export async function quietCounters(envoys: readonly Pick<EnvoyProcess, "name" | "admin">[]): Promise<unknown> {
  return Promise.all(
    envoys.map(async (envoy) => [
      envoy.name,
      Object.fromEntries([...(await (await envoy.admin()).stats(quietStats))].sort()),
    ]),
  );
}
