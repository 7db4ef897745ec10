import type { RuleObjectView, RuleStatusView } from "../../src/api/types/rules.ts";
import { noon } from "./terminal.ts";

export const at = (secondsAgo: number): string => new Date(noon - secondsAgo * 1_000).toISOString();

export function status(part: Partial<RuleStatusView> = {}): RuleStatusView {
  return {
    observedGeneration: 1,
    verdict: "valid",
    inForce: "current",
    conditions: [
      { type: "Accepted", status: "True", reason: "Valid", message: "It has no problems." },
      { type: "InForce", status: "True", reason: "Everywhere", message: "3 of 3 proxies have accepted it." },
    ],
    delivery: { targeted: 3, acked: 3, pending: 0, refused: 0 },
    findings: [],
    refusals: [],
    ...part,
  };
}

/** `rule("VirtualService/shop/reviews", { hosts: ["reviews"] })` */
export function rule(
  key: string,
  spec: object,
  part: { status?: RuleStatusView; metadata?: object } = {},
): RuleObjectView {
  const [kind = "", namespace = "", name = ""] = key.split("/");
  return {
    apiVersion: "networking.istio.io/v1",
    kind,
    metadata: {
      name,
      namespace,
      uid: `uid-${name}`,
      generation: 1,
      revision: 12,
      createdAt: at(3_600),
      createdBy: "anna",
      updatedAt: at(60),
      updatedBy: "bert",
      ...part.metadata,
    },
    spec,
    status: part.status ?? status(),
  };
}
