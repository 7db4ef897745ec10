import { formatHostPort, type HostPort } from "../../base/host-port.ts";
import type { Style } from "../../cli/style.ts";
import type { MeshPlan } from "./mesh-plan.ts";

export interface Introduction {
  readonly version: string;
  readonly envoy: string;
  readonly plan: MeshPlan;
  readonly listens: { readonly xds: HostPort; readonly api: HostPort; readonly metrics: HostPort };
  readonly url: string;
  /** What the first request came back with. */
  readonly answer: string;
  /** `file:line` of the canary's first weight. */
  readonly edit: string;
  readonly secondsToFirstRequest: number;
}

/** What runs where, and the three things to do now. */
export function introduction(input: Introduction, style: Style): string {
  const { plan, listens, url, answer, edit, version, envoy, secondsToFirstRequest } = input;
  const row = (name: string, text: string): string => `  ${name.padEnd(14)} ${text}`;
  const workloads = plan.workloads.map(({ service, version: of, address, ingressPort }) =>
    row(`${service} ${of}`, `${style("quiet", "sidecar")} ${formatHostPort({ host: address, port: ingressPort })}`),
  );
  return [
    "",
    `${style("strong", `Fairway ${version}`)}  ${style("quiet", `${envoy}; first request routed after ${secondsToFirstRequest.toFixed(1)} s`)}`,
    "",
    row(
      "control plane",
      `${style("quiet", "xDS")} ${formatHostPort(listens.xds)}  ${style("quiet", "API")} http://${formatHostPort(listens.api)}/api/v1/proxies`,
    ),
    row("", `${style("quiet", "metrics")} http://${formatHostPort(listens.metrics)}/metrics`),
    row(
      "gateway",
      `${style("quiet", "Envoy")}   ${formatHostPort({ host: plan.gateway.address, port: plan.gateway.port })}`,
    ),
    ...workloads,
    "",
    `  ${style("strong", "Try")}    ${style("accent", `curl ${url}`)}`,
    `         ${style("quiet", answer)}`,
    `  ${style("strong", "Edit")}   ${style("accent", edit)}  ${style("quiet", "a weight of the canary; saving is enough")}`,
    `  ${style("strong", "Stop")}   Ctrl-C`,
    "",
    "",
  ].join("\n");
}
