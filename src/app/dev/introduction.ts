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
  /** `file:line` of the watched canary's first weight. */
  readonly edit: string;
  /** The file of the canary that the store keeps. */
  readonly apply: string;
  /** The file of the token that may change rules. */
  readonly tokenFile: string;
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
  const { api } = input.listens;
  const told = arrival.kind === "arrived" ? `; first request routed after ${seconds(arrival.afterMs)}` : "";
  const [apply, ask] = [`apply -f ${input.apply}`, "proxies"].map((command) => clientCommand(command, api));
  const width = Math.max(...[edit, apply, ask].map((text = "") => text.length));
  const wide = (text = "", what: string): string =>
    `${style("accent", text)}${" ".repeat(width - text.length)}  ${style("quiet", what)}`;
  return [
    "",
    `${style("strong", `Fairway ${version}`)}  ${style("quiet", `${envoy}${told}`)}`,
    "",
    ...places(input, style),
    "",
    `  ${style("strong", "Try")}    ${style("accent", `curl ${url}`)}`,
    `         ${arrival.kind === "arrived" ? style("quiet", arrival.answer) : style("bad", arrival.reason)}`,
    `  ${style("strong", "Edit")}   ${wide(edit, "the weights of a canary; saving is enough")}`,
    `  ${style("strong", "Apply")}  ${wide(apply, "another one: edit its file, then apply it")}`,
    `  ${style("strong", "Ask")}    ${wide(ask, "who has what")}`,
    `  ${style("strong", "Curl")}   ${style("accent", patchCommand(input))}`,
    `  ${style("strong", "Logs")}   ${logs.join("  ")}`,
    `  ${style("strong", "Stop")}   Ctrl-C`,
    "",
    "",
  ].join("\n");
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const clientCommand = (command: string, api: HostPort): string => {
  const server = formatHostPort(api);
  return `npx fairway ${command}${defaultServer === `http://${server}` ? "" : ` --server ${server}`}`;
};

/** Shares the calls to ratings among its two versions. */
function patchCommand({ listens, plan, tokenFile }: Introduction): string {
  const rule = `http://${formatHostPort(listens.api)}/api/v1/namespaces/${plan.namespace}/virtualservices/ratings`;
  const [first, second] = [0, 1].map((index) =>
    JSON.stringify({ op: "replace", path: `/spec/http/0/route/${index}/weight`, value: 50 }),
  );
  return [
    `curl -X PATCH ${rule} \\`,
    `  -H "authorization: Bearer $(cat ${tokenFile})" \\`,
    '  -H "content-type: application/json-patch+json" \\',
    `  -d '[${first},`,
    `       ${second}]'`,
  ].join(`\n${" ".repeat(9)}`);
}

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
    row("", "API", `http://${formatHostPort(listens.api)}/openapi.json`),
    row("", "metrics", `http://${formatHostPort(listens.metrics)}/metrics`),
    row("gateway", "Envoy", formatHostPort({ host: plan.gateway.address, port: plan.gateway.port })),
    ...workloads,
  ];
}
