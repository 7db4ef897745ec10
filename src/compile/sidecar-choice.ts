import type { CaptureMode, SidecarSpec } from "../config/kinds/sidecar.ts";
import type { Rule } from "../config/rule.ts";
import { selectorText } from "../model/labels.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { InterceptionMode } from "../model/proxy.ts";

/** What the choice of a Sidecar rule needs to know of a proxy. */
interface Workload {
  readonly namespace: string;
  /** Canonical texts of the selectors that match it. */
  readonly selectors: readonly string[];
}

/**
 * The one Sidecar rule of a workload: one of its namespace that selects it, else its namespace's default, else the root
 * namespace's default; the oldest where there are several, as they are given by age. Undefined: it sees the whole mesh.
 */
export function sidecarFor(
  sidecars: readonly Rule<"Sidecar">[],
  mesh: MeshSettings,
  workload: Workload,
): Rule<"Sidecar"> | undefined {
  const selected = ({ namespace, spec }: Rule<"Sidecar">): boolean =>
    namespace === workload.namespace &&
    spec.workloadSelector !== undefined &&
    workload.selectors.includes(selectorText(spec.workloadSelector));
  const isDefaultOf =
    (namespace: string) =>
    (rule: Rule<"Sidecar">): boolean =>
      rule.namespace === namespace && rule.spec.workloadSelector === undefined;
  return (
    sidecars.find(selected) ??
    sidecars.find(isDefaultOf(workload.namespace)) ??
    sidecars.find(isDefaultOf(mesh.rootNamespace))
  );
}

/** In a Sidecar rule the wildcard address stands for the workload's own. */
export const isOwnAddress = (address: string): boolean => address === "0.0.0.0" || address === "::";

/** Do connections come to this listener of a Sidecar rule as the kernel leads them, or are they made to its address? */
export const isCaptured = (
  { captureMode }: { readonly captureMode: CaptureMode },
  interception: InterceptionMode,
): boolean => captureMode === "DEFAULT" && interception !== "none";

/** Does the rule listen on the workload's own address or send to it? */
export const usesOwnAddress = ({ ingress }: SidecarSpec, interception: InterceptionMode): boolean =>
  ingress.some(
    (listener) =>
      (listener.bind === undefined && !isCaptured(listener, interception)) ||
      (listener.defaultEndpoint !== undefined && isOwnAddress(listener.defaultEndpoint.address)),
  );
