import { Agent, request } from "node:http";
import type { Edit } from "../fixture/edits.ts";
import { type Mesh, type MeshInstance, type MeshRule, type MeshService, portOf } from "../fixture/mesh.ts";

/** The mesh and its edits, over our REST API. */
export interface FairwayApi {
  readonly load: (mesh: Mesh) => Promise<void>;
  readonly send: (edit: Edit) => Promise<void>;
  readonly close: () => void;
}

interface Call {
  readonly method: string;
  readonly path: string;
  /** A list goes as the documents of one YAML text. */
  readonly body?: object | readonly object[];
}

const atOnce = 16;
const rulesTogether = 500;
/** No lease ends during a run. */
const ttl = "24h";

export function createFairwayApi(base: string): FairwayApi {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const call = (each: Call) => callOnce(base, agent, each);
  const callAll = async (calls: readonly Call[]): Promise<void> => {
    const rest = [...calls].reverse();
    const work = async (): Promise<void> => {
      for (let next = rest.pop(); next !== undefined; next = rest.pop()) await call(next);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  };
  return {
    load: async ({ services, rules }) => {
      await callAll([...services.values()].map(putService));
      await callAll([...services.values()].map(putInstances));
      const list = [...rules.values()];
      for (let at = 0; at < list.length; at += rulesTogether) {
        await call({
          method: "POST",
          path: "/api/v1/changesets",
          body: list.slice(at, at + rulesTogether),
        });
      }
    },
    send: async (edit) => {
      for (const each of (callsOf[edit.kind] as (edit: Edit) => readonly Call[])(edit)) await call(each);
    },
    close: () => agent.destroy(),
  };
}

type CallsOf = { readonly [K in Edit["kind"]]: (edit: Extract<Edit, { readonly kind: K }>) => readonly Call[] };

const callsOf: CallsOf = {
  "put-instance": ({ host, instance: { id, ...rest } }) => [
    { method: "PUT", path: `${pathOf(host)}/instances/${id}`, body: { ...rest, ttl } },
  ],
  "put-service": ({ service }) => [putService(service), putInstances(service)],
  "delete-service": ({ service: { host } }) => [{ method: "DELETE", path: `${pathOf(host)}?cascade=true` }],
  "put-rule": ({ rule }) => [{ method: "PUT", path: rulePath(rule), body: rule }],
  "delete-rule": ({ rule }) => [{ method: "DELETE", path: rulePath(rule) }],
};

const pathOf = (host: string): string => `/api/v1/services/${host}`;

const rulePath = ({ kind, metadata: { namespace, name } }: MeshRule): string =>
  `/api/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;

const putService = (service: MeshService): Call => {
  const { host, namespace, protocol, address } = service;
  const ports = [{ name: protocol, number: portOf(service), protocol }];
  return { method: "PUT", path: pathOf(host), body: { namespace, addresses: [address], ports } };
};

const putInstances = ({ host, instances }: MeshService): Call => ({
  method: "PUT",
  path: `${pathOf(host)}/instances`,
  body: { instances: instances.map((instance: MeshInstance) => ({ ...instance, ttl })) },
});

function callOnce(base: string, agent: Agent, { method, path, body }: Call): Promise<string> {
  const many = Array.isArray(body);
  const text = many ? body.map((each) => JSON.stringify(each)).join("\n---\n") : JSON.stringify(body ?? "");
  const type = many ? "application/yaml" : "application/json";
  const headers = body === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, base), { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const answer = Buffer.concat(chunks).toString();
        if ((response.statusCode ?? 500) < 300) resolve(answer);
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer.slice(0, 1_000)}`));
      });
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : text);
  });
}
