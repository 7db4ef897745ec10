import type { AccessPort, ApiPorts, Caller, RegistrationsPort, Verb } from "../../src/api/ports.ts";
import type { Role } from "../../src/api/types/access.ts";
import type { FindingView } from "../../src/api/types/findings.ts";
import type { ProxyView } from "../../src/api/types/proxies.ts";
import type { RuleStatusView, RuleView } from "../../src/api/types/rules.ts";
import type { VersionView } from "../../src/api/types/server.ts";
import type { ServiceView } from "../../src/api/types/services.ts";
import { anything } from "../../src/base/decode.ts";
import { createLog } from "../../src/base/log.ts";
import { createPrepare } from "../../src/config/prepare-in-turn.ts";
import type { SqliteStoreOptions } from "../../src/config/sqlite-store.ts";
import type { RuleStore, StoredDocument } from "../../src/config/store.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { memoryRuleStore } from "../support/memory-rule-store.ts";

export const version: VersionView = { name: "fairway", version: "0.0.0-test", node: "24.0.0" };

export const silent = createLog({ level: "silent", format: "json", write: () => {} });

export const service = (namespace: string, name: string): ServiceView => ({
  host: `${name}.${namespace}.svc.cluster.local`,
  namespace,
  ports: [{ name: "http", number: 9080, protocol: "http" }],
  addresses: [],
  resolution: "instances",
  external: false,
  origin: { kind: "registry", registry: "file" },
  instances: [],
});

export const proxy = (id: string, part: Partial<ProxyView> = {}): ProxyView => ({
  id,
  kind: "sidecar",
  name: id,
  namespace: "shop",
  client: { name: "envoy", version: "1.40.0" },
  connectedSince: "2026-11-22T05:00:00.000Z",
  streams: 1,
  types: {},
  refusals: [],
  ...part,
});

export const rule = (part: Partial<RuleView> = {}): RuleView => ({
  kind: "VirtualService",
  namespace: "shop",
  name: "reviews",
  verdict: "valid",
  inForce: "current",
  findings: [],
  ...part,
});

export const finding = (part: Partial<FindingView> = {}): FindingView => ({
  about: { kind: "VirtualService", namespace: "shop", name: "reviews" },
  code: "rule/invalid-value",
  severity: "error",
  pointer: "/spec",
  message: "It is wrong.",
  ...part,
});

/** Tokens of the tests, by role; each one's text is the name of its role. */
const callers: Readonly<Record<string, Caller>> = {
  viewer: { name: "vera", role: "viewer", tokenId: "t1" },
  editor: { name: "edith", role: "editor", tokenId: "t2" },
  admin: { name: "ada", role: "admin", tokenId: "t3" },
};

/** As the header `Authorization`. */
export const as = (role: Role) => ({ authorization: `Bearer ${role}` });

const verbs: Readonly<Record<Role, readonly Verb[]>> = {
  viewer: ["read"],
  editor: ["read", "write", "register"],
  admin: ["read", "write", "register", "administer"],
};

export const access: AccessPort = {
  authenticate: async ({ authorization }) => {
    if (authorization === undefined) return { kind: "missing" };
    const caller = callers[authorization.replace("Bearer ", "")];
    return caller === undefined ? { kind: "invalid", reason: "The token is not known." } : { kind: "caller", caller };
  },
  denialOf: ({ name, role }, { verb }) =>
    verbs[role].includes(verb) ? undefined : `The token ${name} has the role ${role}; this needs another.`,
};

export const ruleStatus = ({ generation }: Pick<StoredDocument, "generation">): RuleStatusView => ({
  observedGeneration: generation,
  verdict: "valid",
  inForce: "current",
  conditions: [],
  delivery: { targeted: 0, acked: 0, pending: 0, refused: 0 },
  findings: [],
  refusals: [],
});

const absent = (what: "service" | "instance") => ({ kind: "not-found", what }) as const;

/** Nobody registers: whatever is asked is not there. */
export const registrations: RegistrationsPort = {
  services: () => [],
  service: () => undefined,
  instances: () => undefined,
  putService: async () => absent("service"),
  deleteService: async () => absent("service"),
  putInstance: async () => absent("service"),
  putInstances: async () => absent("service"),
  isRegistered: () => false,
  heartbeat: () => absent("instance"),
  heartbeats: () => absent("service"),
  drain: async () => absent("instance"),
  deleteInstance: async () => absent("instance"),
  formats: {
    service: anything,
    instance: anything,
    instances: anything,
    heartbeat: anything,
    heartbeats: anything,
    drain: anything,
  },
};

export const clock = createFakeClock(Date.parse("2026-11-22T08:00:00Z"));

const store = await memoryRuleStore(clock);

/** Changes are checked as the server does it, without a catalog. */
export const prepareFor = ({ ruleSet }: RuleStore): ApiPorts["prepare"] =>
  createPrepare(
    () => ({
      ruleSet: ruleSet.value,
      ownerOf: () => undefined,
      isOvershadowed: () => false,
      catalog: undefined,
      mesh: defaultMeshSettings,
    }),
    clock,
  );

export const ports = (part: Partial<ApiPorts> = {}): ApiPorts => ({
  services: () => [],
  rules: () => [],
  findings: () => [],
  proxies: () => [],
  proxyConfig: () => undefined,
  ready: () => ({ ready: true, reasons: [] }),
  metrics: async () => ({ contentType: "text/plain; version=0.0.4; charset=utf-8", text: "fairway_up 1\n" }),
  ruleStatus,
  managerOf: () => undefined,
  store,
  prepare: prepareFor(part.store ?? store),
  access,
  tokens: { create: async () => ({ conflict: "There is one." }), list: async () => [], revoke: async () => false },
  registries: { list: () => [], hold: () => undefined, release: () => undefined },
  registrations,
  explain: {
    explain: async () => ({ kind: "not-found", message: "No such proxy is known.", hint: "There are none." }),
    formats: { question: anything, answer: anything },
  },
  ...part,
});

/** Ports around a store of their own. */
export async function portsWithStore(options?: SqliteStoreOptions): Promise<ApiPorts> {
  return ports({ store: await memoryRuleStore(clock, options) });
}

/** A rule's text, with a comment of its author. */
export const ruleText = (name: string, { namespace = "shop", host = name, labels = "" } = {}): string =>
  `# Who changes this, asks the shop first.
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: ${name}
  namespace: ${namespace}
  labels: {${labels}}
spec:
  hosts: [${host}]
  http:
    - route:
        - destination: {host: ${host}} # all of it
`;
