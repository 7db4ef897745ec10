import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { applyEdit, type Edit } from "../fixture/edits.ts";
import { type Mesh, type MeshRule, type MeshService, portOf } from "../fixture/mesh.ts";
import type { OutsidePeer } from "../options.ts";
import type { BenchServer, ServerKind } from "./server.ts";

/** How long a server may take until it has read a whole folder. */
const readMs = 10_000;

/** A server that the user started: it reads Istio's documents from a folder, which is written here. */
export function createOutside(peer: OutsidePeer): ServerKind {
  return {
    name: `${peer.host}:${peer.port}`,
    ...{ scopes: true, restarts: false, exact: false },
    start: async () => startOutside(peer),
  };
}

function startOutside({ host, port, documents, pid }: OutsidePeer): BenchServer {
  let mesh: Mesh = { services: new Map(), rules: new Map() };
  const fileOf = ({ kind, metadata: { namespace, name } }: MeshRule): string =>
    join(documents, `${kind.toLowerCase()}-${namespace}-${name}.yaml`);
  const write = (rule: MeshRule): Promise<void> => writeFile(fileOf(rule), `${JSON.stringify(rule)}\n`);
  const remove = (rule: MeshRule): Promise<void> => rm(fileOf(rule), { force: true });

  const carryOut = (edit: Edit, next: Mesh): Promise<void> => {
    switch (edit.kind) {
      case "put-rule":
        return write(edit.rule);
      case "delete-rule":
        return remove(edit.rule);
      case "put-service":
        return write(serviceEntry(edit.service));
      case "delete-service":
        return remove(serviceEntry(edit.service));
      case "put-instance": {
        const service = next.services.get(edit.host);
        if (service === undefined) throw new Error(`the mesh has no service ${edit.host}`);
        return write(serviceEntry(service));
      }
    }
  };

  return {
    address: { host, port },
    pids: () => [pid],
    readyMs: () => Number.NaN,
    load: async (whole) => {
      await mkdir(documents, { recursive: true });
      mesh = whole;
      for (const service of mesh.services.values()) await write(serviceEntry(service));
      for (const rule of mesh.rules.values()) await write(rule);
      await delay(readMs);
    },
    expectGroups: async () => {},
    prepare: (edit, next) => {
      mesh = applyEdit(mesh, edit);
      return { send: () => carryOut(edit, next) };
    },
    versionOf: () => {
      throw new Error("a server that the bench does not restart is not asked for its versions");
    },
    restart: async () => {
      throw new Error("a server that the bench did not start is not restarted by it");
    },
    stop: async () => {
      for (const service of mesh.services.values()) await remove(serviceEntry(service));
      for (const rule of mesh.rules.values()) await remove(rule);
    },
  };
}

function serviceEntry(service: MeshService): MeshRule {
  const { host, name, namespace, protocol, address: virtual, instances } = service;
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name, namespace },
    spec: {
      hosts: [host],
      addresses: [virtual],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ name: protocol, number: portOf(service), protocol: protocol.toUpperCase() }],
      endpoints: instances.map(({ address, labels, locality }) => ({ address, labels, locality })),
    },
  };
}
