import { memoize } from "../base/memo.ts";
import type { Rule } from "../config/rule.ts";
import { blackHoleCluster, passthroughCluster } from "../envoy/names.ts";
import type { Origin } from "../envoy/provenance.ts";
import type { IpFamilies } from "../model/ip-families.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { InterceptionMode } from "../model/proxy.ts";
import { fromRule, fromSetting } from "./origins.ts";

/** What a sidecar does with destinations that no registry knows, and who says so. */
export interface OutboundPolicy {
  readonly mode: MeshSettings["outboundTrafficPolicy"];
  readonly origin: Origin;
}

/** What all listeners of a sidecar have in common; the same object for the same. */
export interface SidecarSettings {
  readonly mesh: MeshSettings;
  readonly policy: OutboundPolicy;
  readonly interception: InterceptionMode;
  readonly families: IpFamilies;
}

const policyOfMesh = memoize(
  ({ outboundTrafficPolicy }: MeshSettings): OutboundPolicy => ({
    mode: outboundTrafficPolicy,
    origin: fromSetting("outboundTrafficPolicy"),
  }),
);

const policyOfRule = memoize(
  (rule: Rule<"Sidecar">, mode: OutboundPolicy["mode"]): OutboundPolicy => ({
    mode,
    origin: fromRule(rule, "/spec/outboundTrafficPolicy/mode"),
  }),
);

/** That of its Sidecar rule, where the rule has one, else the mesh's. */
export function outboundPolicyOf(mesh: MeshSettings, rule: Rule<"Sidecar"> | undefined): OutboundPolicy {
  const mode = rule?.spec.outboundTrafficPolicy;
  return rule === undefined || mode === undefined ? policyOfMesh(mesh) : policyOfRule(rule, mode);
}

export const sidecarSettings = memoize(
  (
    mesh: MeshSettings,
    policy: OutboundPolicy,
    interception: InterceptionMode,
    families: IpFamilies,
  ): SidecarSettings => ({ mesh, policy, interception, families }),
);

/** Where connections go that no registry knows the destination of. */
export const restCluster = ({ mode }: OutboundPolicy): string =>
  mode === "ALLOW_ANY" ? passthroughCluster : blackHoleCluster;
