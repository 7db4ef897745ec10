import { formatHostPort, type HostPort } from "../../base/host-port.ts";
import { defaultServer } from "../../cli/server.ts";
import type { Style } from "../../cli/style.ts";
import { type MeshPlan, proxyNameOf } from "./mesh-plan.ts";

export interface Introduction {
  readonly version: string;
  /** Which Envoy, and where it is from. */
  readonly envoy: string;
  readonly plan: MeshPlan;
  /** Where each workload's service listens, in the order of the plan's workloads. */
  readonly appPorts: readonly number[];
  readonly listens: { readonly xds: HostPort; readonly api: HostPort; readonly metrics: HostPort };
  readonly url: string;
  readonly arrival: Arrival;
  /** `file:line` of the canary's first weight. */
  readonly edit: string;
  /** Where the logs are. */
  readonly logs: readonly string[];
}

/** What the first request came back with. */
export type Arrival =
  | { readonly kind: "arrived"; readonly answer: string; readonly afterMs: number }
  /** None got through; `reason` for people. */
  | { readonly kind: "failed"; readonly reason: string };

/** What runs where, and the few things to do now. */
export function introduction(input: Introduction, style: Style): string {
  const { version, envoy, arrival, url, edit, logs } = input;
  const told = arrival.kind === "arrived" ? `; first request routed after ${seconds(arrival.afterMs)}` : "";
  const hint = { edit: "the weights of the canary; saving is enough", ask: "who has what; in another terminal" };
  const ask = askCommand(input.listens.api);
  const width = Math.max(edit.length, ask.length);
  const wide = (text: string, what: string): string =>
    `${style("accent", text)}${" ".repeat(width - text.length)}  ${style("quiet", what)}`;
  return [
    "",
    `${style("strong", `Fairway ${version}`)}  ${style("quiet", `${envoy}${told}`)}`,
    "",
    ...places(input, style),
    "",
    `  ${style("strong", "Try")}    ${style("accent", `curl ${url}`)}`,
    `         ${arrival.kind === "arrived" ? style("quiet", arrival.answer) : style("bad", arrival.reason)}`,
    `  ${style("strong", "Edit")}   ${wide(edit, hint.edit)}`,
    `  ${style("strong", "Ask")}    ${wide(ask, hint.ask)}`,
    `  ${style("strong", "Logs")}   ${logs.join("  ")}`,
    `  ${style("strong", "Stop")}   Ctrl-C`,
    "",
    "",
  ].join("\n");
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const askCommand = (api: HostPort): string => {
  const server = formatHostPort(api);
  return `npx fairway proxies${defaultServer === `http://${server}` ? "" : ` --server ${server}`}`;
};

/** Who runs where, one line each. */
function places({ plan, appPorts, listens }: Introduction, style: Style): readonly string[] {
  const row = (name: string, what: string, where: string, more = ""): string =>
    `  ${name.padEnd(14)} ${style("quiet", what.padEnd(8))} ${more === "" ? where : where.padEnd(17)}${more}`;
  const workloads = plan.workloads.map((workload, index) => {
    const { address, ingressPort } = workload;
    const app = formatHostPort({ host: "127.0.0.1", port: appPorts[index] ?? 0 });
    const where = formatHostPort({ host: address, port: ingressPort });
    return row(proxyNameOf(workload), "Envoy", where, `  ${style("quiet", `in front of ${app}`)}`);
  });
  return [
    row("control plane", "xDS", formatHostPort(listens.xds)),
    row("", "API", `http://${formatHostPort(listens.api)}/api/v1/proxies`),
    row("", "metrics", `http://${formatHostPort(listens.metrics)}/metrics`),
    row("gateway", "Envoy", formatHostPort({ host: plan.gateway.address, port: plan.gateway.port })),
    ...workloads,
  ];
}
