import { pageOf } from "./paging.ts";
import type { ApiPorts } from "./ports.ts";
import type { Problem } from "./problem.ts";
import { decodeListQuery, type Filters } from "./query.ts";
import type { FindingView, Page, ProxyView, ReadyView, RuleView, ServiceView, VersionView } from "./types.ts";

/** One thing that can be asked of the server. */
export interface Route {
  readonly method: "GET";
  readonly path: `/${string}`;
  /** `open`: anybody, health and metrics. `read`: the mesh's state, served on loopback only until tokens exist. */
  readonly access: "open" | "read";
  readonly summary: string;
  readonly handler: (request: ApiRequest) => Answer | Promise<Answer>;
}

export interface ApiRequest {
  readonly ports: ApiPorts;
  readonly version: VersionView;
  readonly params: Readonly<Record<string, string>>;
  /** By parameter; a list where one was given several times. */
  readonly query: Readonly<Record<string, unknown>>;
}

export type Answer =
  | { readonly kind: "json"; readonly status: 200 | 503; readonly body: object }
  | { readonly kind: "text"; readonly contentType: string; readonly text: string }
  | { readonly kind: "problem"; readonly problem: Problem };

const ok = <T extends object>(body: T): Answer => ({ kind: "json", status: 200, body });

/** The server's whole surface, one row each. */
export const routes: readonly Route[] = [
  list<ServiceView>({
    path: "/api/v1/services",
    summary: "Services and their instances, from all registries and ServiceEntries.",
    items: (ports) => ports.services(),
    key: ({ namespace, host }) => `${namespace}/${host}`,
    filters: { namespace: (service) => service.namespace, host: (service) => service.host },
  }),
  list<RuleView>({
    path: "/api/v1/rules",
    summary: "Every rule document read, the verdict on it, and which version of it is in force.",
    items: (ports) => ports.rules(),
    key: (rule) => `${rule.kind}/${rule.namespace}/${rule.name}/${placeKey(rule)}`,
    filters: {
      namespace: (rule) => rule.namespace,
      kind: (rule) => rule.kind,
      verdict: (rule) => rule.verdict,
    },
  }),
  list<FindingView>({
    path: "/api/v1/findings",
    summary: "Problems in rules and registries, each with its place.",
    items: (ports) => ports.findings(),
    key: (finding) => `${finding.about.kind}/${finding.about.namespace}/${finding.about.name}/${placeKey(finding)}`,
    filters: {
      namespace: ({ about }) => about.namespace,
      kind: ({ about }) => about.kind,
      severity: (finding) => finding.severity,
    },
  }),
  list<ProxyView>({
    path: "/api/v1/proxies",
    summary: "Proxies known to this server: what each has, waits for and refused.",
    items: (ports) => ports.proxies(),
    key: (proxy) => proxy.id,
    filters: { namespace: (proxy) => proxy.namespace, kind: (proxy) => proxy.kind },
  }),
  {
    method: "GET",
    path: "/api/v1/proxies/:id",
    access: "read",
    summary: "One proxy, by its node.id.",
    handler: ({ ports, params }) => {
      const proxy = ports.proxies().find(({ id }) => id === params["id"]);
      return proxy === undefined ? notFound("No proxy of this id is known.") : ok<ProxyView>(proxy);
    },
  },
  {
    method: "GET",
    path: "/healthz",
    access: "open",
    summary: "Is the process alive? Always 200 when it is.",
    handler: () => ok({ status: "ok" }),
  },
  {
    method: "GET",
    path: "/readyz",
    access: "open",
    summary: "200 once proxies can be served; 503 with the reasons until then.",
    handler: ({ ports }) => {
      const body: ReadyView = ports.ready();
      return { kind: "json", status: body.ready ? 200 : 503, body };
    },
  },
  {
    method: "GET",
    path: "/metrics",
    access: "open",
    summary: "Metrics in Prometheus text exposition.",
    handler: async ({ ports }) => ({ kind: "text", ...(await ports.metrics()) }),
  },
  {
    method: "GET",
    path: "/version",
    access: "open",
    summary: "What runs here.",
    handler: ({ version }) => ok<VersionView>(version),
  },
];

interface ListRoute<T> {
  readonly path: Route["path"];
  readonly summary: string;
  readonly items: (ports: ApiPorts) => readonly T[];
  /** The order of the list. */
  readonly key: (item: T) => string;
  readonly filters: Filters<T>;
}

function list<T>({ path, summary, items, key, filters }: ListRoute<T>): Route {
  return {
    method: "GET",
    path,
    access: "read",
    summary,
    handler: ({ ports, query }) => {
      const decoded = decodeListQuery(query, filters);
      if ("errors" in decoded) {
        const detail = decoded.errors.map(({ parameter, message }) => `${parameter}: ${message}`).join(" ");
        return { kind: "problem", problem: { code: "api/invalid-query", detail, errors: decoded.errors } };
      }
      return ok<Page<T>>(pageOf(items(ports).filter(decoded.query.matches), key, decoded.query));
    },
  };
}

const notFound = (detail: string): Answer => ({ kind: "problem", problem: { code: "api/not-found", detail } });

/** Orders documents of one file by their place in it. */
function placeKey({ file = "", line = 0, column = 0 }: { file?: string; line?: number; column?: number }): string {
  return `${file}:${String(line).padStart(8, "0")}:${String(column).padStart(6, "0")}`;
}
