import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "vitest";
import type { ApiLimits } from "../../src/api/limits.ts";
import type { NewTokenView, Role } from "../../src/api/types/access.ts";
import { type ControlPlane, startControlPlane } from "../../src/app/control-plane.ts";
import { createLog } from "../../src/base/log.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { type ApiClient, createApiClient } from "./api-client.ts";
import { temporaryFolder } from "./dev.ts";

/** A whole server with a data folder, a directory of rules and one service, `reviews`; and who works with it. */
export interface OperatorsServer {
  readonly plane: () => ControlPlane;
  /** The same after a restart. */
  readonly url: string;
  /** Of the directory of rules. */
  readonly rules: string;
  /** May do everything. */
  readonly admin: ApiClient;
  readonly adminToken: string;
  readonly makeToken: (name: string, role: Role, expiresIn?: string) => Promise<NewTokenView>;
  readonly client: (token?: string) => ApiClient;
  /** Stops it and starts it again on the same folders and ports. */
  readonly restart: () => Promise<void>;
}

export interface OperatorsServerOptions {
  /** The text of its file of route tests, `tests.yaml` beside the directory of rules. */
  readonly routeTests?: string;
  readonly limits?: Partial<ApiLimits>;
}

const catalog = `services:
  - host: reviews.shop.svc.cluster.local
    ports: [{ name: http, number: 9080 }]
    instances:
      - { id: a, address: 10.0.0.1, labels: { version: v1 } }
      - { id: b, address: 10.0.0.2, labels: { version: v2 } }
`;

const manyRequests = { requestsPerSecond: 100_000, requestBurst: 100_000 } as const;

export async function startOperatorsServer(
  context: Pick<TestContext, "onTestFinished">,
  { limits = {}, routeTests }: OperatorsServerOptions = {},
): Promise<OperatorsServer> {
  const dir = temporaryFolder(context);
  const rules = join(dir, "rules");
  mkdirSync(rules);
  writeFileSync(join(dir, "catalog.yaml"), catalog);
  if (routeTests !== undefined) writeFileSync(join(dir, "tests.yaml"), routeTests);
  const loopback = { host: "127.0.0.1", port: 0 };
  const start = (on: Pick<ControlPlane["listens"], "xds" | "api" | "metrics">): Promise<ControlPlane> =>
    startControlPlane({
      ...on,
      rules: [rules],
      catalog: [join(dir, "catalog.yaml")],
      ...(routeTests !== undefined && { routeTests: [join(dir, "tests.yaml")] }),
      mesh: defaultMeshSettings,
      store: { kind: "sqlite", folder: join(dir, "data") },
      apiLimits: { ...manyRequests, ...limits },
      log: createLog({ level: "silent", format: "json", write: () => {} }),
    });
  let plane = await start({ xds: loopback, api: loopback, metrics: loopback });
  context.onTestFinished(() => plane.stop());

  const url = `http://127.0.0.1:${plane.listens.api.port}`;
  const made = await plane.ports.tokens.create({ name: "root", role: "admin" }, "test");
  if ("conflict" in made) throw new Error(made.conflict);
  const admin = createApiClient({ url, token: made.token });
  return {
    plane: () => plane,
    url,
    rules,
    admin,
    adminToken: made.token,
    makeToken: async (name, role, expiresIn) => {
      const answer = await admin.post("/api/v1/tokens", { name, role, ...(expiresIn !== undefined && { expiresIn }) });
      if (answer.status !== 201) throw new Error(answer.text);
      return JSON.parse(answer.text) as NewTokenView;
    },
    client: (token) => createApiClient({ url, ...(token !== undefined && { token }) }),
    restart: async () => {
      const { listens } = plane;
      await plane.stop();
      plane = await start(listens);
    },
  };
}

/** A route to `reviews`, with something in it to tell versions apart. */
export const reviewsRoute = (name: string, mark: string, labels: Readonly<Record<string, string>> = {}): string =>
  `# ${mark}
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: shop, labels: ${JSON.stringify(labels)}, annotations: { mark: ${JSON.stringify(mark)} } }
spec:
  hosts: [${name}.example]
  http: [{ route: [{ destination: { host: reviews.shop.svc.cluster.local } }] }]
`;

export const routePath = (name: string, namespace = "shop"): string =>
  `/api/v1/namespaces/${namespace}/virtualservices/${name}`;
