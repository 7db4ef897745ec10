import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, type TestContext } from "vitest";
import type { CaptureMode } from "../../src/agent/capture-options.ts";
import { type Cleanup, type EnvoyLine, envoyBinary } from "../support/envoy.ts";
import { needNetNamespaces } from "../support/net-namespaces.ts";
import { createCleaner } from "../support/with-cleanup.ts";
import type { Policy } from "./expected.ts";
import { addressesOf, type Family, makeNetwork } from "./network.ts";
import { bootstrapOf, type Plane, startPlane } from "./plane.ts";
import { type Peer, type Pod, startPeer, startPod } from "./pod.ts";
import { listensOf, outside, type Place, services } from "./services.ts";

export interface MeshOptions {
  readonly mode: CaptureMode;
  readonly policy: Policy;
  readonly line: EnvoyLine;
  /** Of all its addresses. */
  readonly families: readonly Family[];
}

/** A control plane, pods with sidecars, and somebody without. */
export interface Mesh extends Plane {
  readonly pods: readonly Pod[];
  /** Whoever lives there. */
  readonly at: (place: Place) => Peer;
}

/** One mesh for all tests of a `describe`, started by the first of them that is not skipped. */
export function sharedMesh(options: MeshOptions): (context: TestContext) => Promise<Mesh> {
  const { cleanup, clean } = createCleaner();
  let mesh: Promise<Mesh> | undefined;
  afterAll(clean);
  return async (context) => {
    needNetNamespaces(context);
    const { path } = await envoyBinary(context, options.line);
    mesh ??= startMesh({ ...options, binary: path, cleanup });
    return mesh;
  };
}

interface StartOptions extends MeshOptions {
  readonly binary: string;
  readonly cleanup: Cleanup;
}

async function startMesh({ policy, families, ...options }: StartOptions): Promise<Mesh> {
  const { cleanup, mode } = options;
  const dir = mkdtempSync(join(tmpdir(), "fairway-captured-"));
  cleanup(() => rm(dir, { recursive: true }));
  const network = await makeNetwork(cleanup, families);
  const place = async ({ name, number }: Place) => ({
    ...{ name, dir, in: await network.add(name, number), addresses: addressesOf(number) },
  });
  const starting = startPlane({ network, families, policy, dir });
  const plans = services.flatMap((service) => service.pods.map((plan) => ({ service, plan })));
  const works = [
    starting,
    place(outside).then((there) => startPeer({ ...there, ports: outside.ports })),
    ...plans.map(async ({ service, plan }) => {
      const there = await place(plan);
      const bootstrap = await bootstrapOf(there.in, { service, plan, mode, families });
      // An Envoy that comes first tries again only after a while.
      await starting;
      return startPod({ ...options, ...there, bootstrap, ports: listensOf(service) });
    }),
  ] as const;
  // When one fails, nothing of the others may come after the cleanup.
  await Promise.allSettled(works);
  const [plane, stranger, ...pods] = await Promise.all(works);
  return {
    ...plane,
    pods,
    at: ({ name }) => {
      const found = [stranger, ...pods].find((each) => each.name === name);
      if (found === undefined) throw new Error(`there is nobody called ${name}`);
      return found;
    },
  };
}
