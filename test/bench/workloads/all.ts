import { stalledProxy, steadyChurn } from "./churn.ts";
import { clusterEdit, fullPush, routeEdit, serviceEdit, silentEdits } from "./edits.ts";
import { loneChange } from "./lone-changes.ts";
import { restart } from "./restart.ts";
import { scopedMesh } from "./scoped.ts";
import { coldStorm, stormOfProfiles } from "./storm.ts";
import type { Workload } from "./workload.ts";

/** In the order in which one server is put through them. */
export const workloads: readonly Workload[] = [
  coldStorm,
  loneChange,
  routeEdit,
  clusterEdit,
  serviceEdit,
  fullPush,
  silentEdits,
  steadyChurn,
  stalledProxy,
  restart,
  stormOfProfiles,
  scopedMesh,
];

/** The cost of a change in a mesh of ten times the size: of our server alone. */
export const scaleId = "W2s";

export const workloadIds: readonly string[] = [...workloads.map(({ id }) => id), scaleId];
