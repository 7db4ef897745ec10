import { addressesOf, makeNetwork } from "../captured/network.ts";
import { type Pod, startPod } from "../captured/pod.ts";
import type { Cleanup } from "../support/envoy.ts";
import { fairwayCommand } from "../support/fairway-command.ts";
import type { KubePod, PodRunner } from "../support/fake-kubelet.ts";
import { relayOut } from "../support/namespace-relay.ts";
import type { NetNamespace } from "../support/net-namespaces.ts";
import { createCleaner } from "../support/with-cleanup.ts";

export interface PodMeshOptions {
  readonly cleanup: Cleanup;
  /** The path of an Envoy. */
  readonly binary: string;
  /** Holds its sockets. */
  readonly dir: string;
  /** Of Fairway, at 127.0.0.1. */
  readonly xdsPort: number;
}

/** Runs pods as network namespaces on one wire, each with an application and an Envoy that captures its connections. */
export interface PodMesh {
  readonly runner: PodRunner;
  /** A pod that runs. */
  readonly pod: (name: string) => Pod;
  /** When a pod was ready to be reported so, in milliseconds since the epoch. */
  readonly readyAt: (name: string) => number;
}

interface RunningPod {
  readonly pod: Pod;
  readonly readyAt: number;
  readonly clean: () => Promise<void>;
}

const planeNumber = 2;
const planePort = 15_010;
const planeHost = addressesOf(planeNumber).ipv4;

export async function makePodMesh({ cleanup, binary, dir, xdsPort }: PodMeshOptions): Promise<PodMesh> {
  const network = await makeNetwork(cleanup, ["ipv4"]);
  const plane = await network.add("plane", planeNumber);
  await relayOut({ cleanup, in: plane, host: planeHost, port: planePort, target: xdsPort, dir });
  const running = new Map<string, RunningPod>();
  let lastNumber = planeNumber;
  cleanup(async () => {
    await Promise.all([...running.values()].map(({ clean }) => clean()));
  });
  const found = (name: string): RunningPod => {
    const one = running.get(name);
    if (one === undefined) throw new Error(`no pod ${name} runs; there are ${[...running.keys()]}`);
    return one;
  };
  return {
    pod: (name) => found(name).pod,
    readyAt: (name) => found(name).readyAt,
    runner: {
      start: async (kubePod) => {
        const { name } = kubePod.metadata;
        const number = ++lastNumber;
        const addresses = addressesOf(number);
        const { cleanup: until, clean } = createCleaner();
        const inside = await network.add(name, number, until);
        const pod = await startPod({
          ...{ cleanup: until, binary, dir, name, addresses, in: inside, mode: "redirect" },
          bootstrap: await bootstrapOf(inside, kubePod, addresses.ipv4),
          ports: Object.fromEntries(portsOf(kubePod).map((port) => [port, "http"])),
        });
        running.set(name, { pod, clean, readyAt: Date.now() });
        return [addresses.ipv4];
      },
      stop: async ({ metadata: { name } }) => {
        const { clean } = found(name);
        running.delete(name);
        await clean();
      },
    },
  };
}

const portsOf = ({ spec: { containers } }: KubePod): readonly number[] =>
  containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort));

/** What `fairway bootstrap` prints for a pod. */
async function bootstrapOf(inside: NetNamespace, { metadata }: KubePod, address: string) {
  const labels = Object.entries(metadata["labels"] ?? {}).map(([name, value]) => `${name}=${value}`);
  const { exit, out, err } = await inside.attempt([
    ...[...fairwayCommand, "bootstrap", "--name", metadata.name, "--namespace", metadata.namespace ?? ""],
    ...["--ip", address, "--label", ...labels, "--interception", "REDIRECT", "--xds", `${planeHost}:${planePort}`],
  ]);
  if (exit !== 0) throw new Error(`fairway bootstrap: ${err}`);
  return JSON.parse(out);
}
