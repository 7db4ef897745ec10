import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import type { CaptureMode } from "../../src/agent/capture-options.ts";
import { formatHostPort } from "../../src/base/host-port.ts";
import { fairwayCommand } from "../support/fairway-command.ts";
import type { NetNamespace } from "../support/net-namespaces.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Policy } from "./expected.ts";
import { addressesOf, type Family, type Network } from "./network.ts";
import { catalogOf, namespace, type PodPlan, type ServicePlan } from "./services.ts";

const planeNumber = 2;

const xdsOf = ([family = "ipv4"]: readonly Family[]): string =>
  formatHostPort({ host: addressesOf(planeNumber)[family], port: 15_010 });

export interface PlaneOptions {
  readonly network: Network;
  readonly families: readonly Family[];
  readonly policy: Policy;
  /** Holds its files. */
  readonly dir: string;
}

export interface Plane {
  /** Writes rules, as `fairway apply` does. */
  readonly apply: (rules: readonly object[]) => Promise<void>;
}

/** `fairway serve`, in a namespace of its own. */
export async function startPlane({ network, families, policy, dir }: PlaneOptions): Promise<Plane> {
  const inside = await network.add("plane", planeNumber);
  const file = (name: string, ...documents: readonly object[]): string => {
    writeFileSync(join(dir, name), documents.map((document) => JSON.stringify(document)).join("\n---\n"));
    return join(dir, name);
  };
  // What the command keeps for its user.
  const command = ["env", `XDG_CONFIG_HOME=${join(dir, "config")}`, ...fairwayCommand];
  const said: string[] = [];
  await inside.start(
    [
      ...[...command, "serve", "--data", join(dir, "data"), "--xds", xdsOf(families), "--log-format", "json"],
      ...["--catalog", file("catalog.yaml", catalogOf(families))],
      ...["--mesh", file("mesh.yaml", { outboundTrafficPolicy: { mode: policy } })],
    ],
    (line) => said.push(line),
  );
  await waitFor(() => said.some((line) => line.includes('"serving"')), {
    withinMs: 30_000,
    what: "the control plane",
  }).catch((cause: unknown) => {
    throw new Error(`it said: ${said.join("\n")}`, { cause });
  });
  return {
    apply: async (rules) => {
      const { exit, out, err } = await inside.attempt([...command, "apply", "-f", file("rules.yaml", ...rules)]);
      if (exit !== 0) throw new Error(`fairway apply: ${out}${err}`);
    },
  };
}

export interface BootstrapOptions {
  readonly service: ServicePlan;
  readonly plan: PodPlan;
  readonly mode: CaptureMode;
  readonly families: readonly Family[];
}

/** What `fairway bootstrap` prints for a pod. */
export async function bootstrapOf(
  inside: NetNamespace,
  { service, plan: { name, version, number }, mode, families }: BootstrapOptions,
): Promise<JsonObject> {
  const addresses = families.map((family) => addressesOf(number)[family]);
  const { exit, out, err } = await inside.attempt([
    ...[...fairwayCommand, "bootstrap", "--name", name, "--namespace", namespace, "--ip", ...addresses],
    ...["--label", `app=${service.name}`, `version=${version}`],
    ...["--interception", mode.toUpperCase(), "--xds", xdsOf(families)],
  ]);
  if (exit !== 0) throw new Error(`fairway bootstrap: ${err}`);
  return JSON.parse(out);
}
