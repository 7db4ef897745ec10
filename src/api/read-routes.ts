import type { Decoder } from "../base/decode.ts";
import { schemaOf } from "../base/decode.ts";
import { json } from "./media-types.ts";
import { defaultPageLimit, pageOf } from "./paging.ts";
import type { ApiPorts, Verb } from "./ports.ts";
import {
  decodeQuery,
  exactly,
  oneOfTexts,
  type Parameter,
  type Parameters,
  pageParameters,
  parameterDocs,
} from "./query.ts";
import { ok, problem, type Route } from "./route.ts";
import type { ParameterDoc, RouteDoc } from "./route-doc.ts";
import { pageOf as pageShape } from "./shapes/pages.ts";
import { proxyConfigView, proxyView } from "./shapes/proxies.ts";
import { findingView, ruleView } from "./shapes/rules.ts";
import { serviceView } from "./shapes/services.ts";
import type { FindingView } from "./types/findings.ts";
import type { Page } from "./types/pages.ts";
import type { ProxyConfigView, ProxyView } from "./types/proxies.ts";
import type { RuleView } from "./types/rules.ts";
import type { ServiceView } from "./types/services.ts";

const namespaceFilter = exactly("Only those of this namespace.");

const proxyId: ParameterDoc = {
  in: "path",
  name: "id",
  required: true,
  summary: "The proxy's `node.id`.",
  schema: { type: "string", minLength: 1 },
  example: "sidecar~10.0.0.1~reviews-1.shop~shop.svc.cluster.local",
};

const configParameters = {
  type: oneOfTexts("Only resources of this type.", ["CDS", "EDS", "LDS", "RDS"]),
  name: exactly("Only the resource of this name."),
};

/** The mesh's state. */
export const readRoutes: readonly Route[] = [
  list<ServiceView>({
    path: "/api/v1/services",
    operation: "listServices",
    summary: "Services and their instances, from all registries and ServiceEntries.",
    shape: serviceView,
    items: (ports) => ports.services(),
    key: ({ namespace, host }) => `${namespace}/${host}`,
    filters: {
      namespace: [namespaceFilter, (service) => service.namespace],
      host: [exactly("Only those of this host."), (service) => service.host],
    },
  }),
  list<RuleView>({
    path: "/api/v1/rules",
    operation: "listRules",
    summary: "Every rule document read, the verdict on it, and which version of it is in force.",
    shape: ruleView,
    items: (ports) => ports.rules(),
    key: (rule) => `${rule.kind}/${rule.namespace}/${rule.name}/${placeKey(rule)}`,
    filters: {
      namespace: [namespaceFilter, (rule) => rule.namespace],
      kind: [exactly("Only those of this kind."), (rule) => rule.kind],
      verdict: [oneOfTexts("Only those with this verdict.", ["valid", "warned", "refused"]), (rule) => rule.verdict],
    },
  }),
  list<FindingView>({
    path: "/api/v1/findings",
    operation: "listFindings",
    summary: "Problems in rules and registries, each with its place.",
    shape: findingView,
    items: (ports) => ports.findings(),
    key: (finding) => `${finding.about.kind}/${finding.about.namespace}/${finding.about.name}/${placeKey(finding)}`,
    filters: {
      namespace: [namespaceFilter, ({ about }) => about.namespace],
      kind: [exactly("Only those about this kind."), ({ about }) => about.kind],
      severity: [oneOfTexts("Only those of this severity.", ["error", "warning"]), (finding) => finding.severity],
    },
  }),
  list<ProxyView>({
    path: "/api/v1/proxies",
    operation: "listProxies",
    summary: "Proxies known to this server: what each has, waits for and refused.",
    shape: proxyView,
    items: (ports) => ports.proxies(),
    key: (proxy) => proxy.id,
    filters: {
      namespace: [namespaceFilter, (proxy) => proxy.namespace],
      kind: [oneOfTexts("Only those of this kind.", ["sidecar", "gateway", "proxyless"]), (proxy) => proxy.kind],
    },
  }),
  {
    method: "GET",
    path: "/api/v1/proxies/:id",
    access: "read",
    doc: {
      operation: "getProxy",
      summary: "One proxy, by its node.id.",
      parameters: [proxyId],
      answers: { 200: { summary: "The proxy.", types: { [json]: schemaOf(proxyView) } } },
      problems: ["api/not-found"],
    },
    handler: ({ ports, params, query }) => {
      const decoded = decodeQuery(query, {});
      if (!decoded.ok) return decoded.answer;
      const proxy = ports.proxies().find(({ id }) => id === params["id"]);
      return proxy === undefined ? problem("api/not-found", "No proxy of this id is known.") : ok<ProxyView>(proxy);
    },
  },
  {
    method: "GET",
    path: "/api/v1/proxies/:id/config",
    access: "read",
    doc: {
      operation: "getProxyConfig",
      summary: "What a proxy would get now, as proto JSON, and the rules behind it.",
      parameters: [proxyId, ...parameterDocs(configParameters)],
      answers: { 200: { summary: "Its resources.", types: { [json]: schemaOf(proxyConfigView) } } },
      problems: ["api/not-found"],
    },
    handler: ({ ports, params, query }) => {
      const decoded = decodeQuery(query, configParameters);
      if (!decoded.ok) return decoded.answer;
      const config = ports.proxyConfig(params["id"] ?? "");
      if (config === undefined) {
        return problem("api/not-found", "No proxy of this id is known, or the registries have not all reported yet.");
      }
      const { type, name } = decoded.value;
      const resources = config.resources.filter(
        (resource) => (type === undefined || resource.type === type) && (name === undefined || resource.name === name),
      );
      return ok<ProxyConfigView>({ ...config, resources });
    },
  },
];

export interface ListRoute<T> {
  readonly path: Route["path"];
  /** Default `read`. */
  readonly access?: Verb;
  readonly operation: string;
  readonly summary: string;
  readonly shape: Decoder<T>;
  readonly items: (ports: ApiPorts) => readonly T[] | Promise<readonly T[]>;
  /** The order of the list. */
  readonly key: (item: T) => string;
  /** By parameter: how it is read, and the text of an item that must be equal to it. */
  readonly filters: Readonly<Record<string, readonly [Parameter<string>, (item: T) => string]>>;
}

/** A list in pages. */
export function list<T>({
  path,
  access = "read",
  operation,
  summary,
  shape,
  items,
  key,
  filters,
}: ListRoute<T>): Route {
  const filterParameters: Parameters = Object.fromEntries(
    Object.entries(filters).map(([name, [parameter]]) => [name, parameter]),
  );
  const doc: RouteDoc = {
    operation,
    summary,
    parameters: parameterDocs({ ...filterParameters, ...pageParameters }),
    answers: { 200: { summary: "A page of them.", types: { [json]: schemaOf(pageShape(shape)) } } },
    problems: [],
  };
  return {
    method: "GET",
    path,
    access,
    doc,
    handler: async ({ ports, query }) => {
      const decoded = decodeQuery(query, { ...filterParameters, ...pageParameters });
      if (!decoded.ok) return decoded.answer;
      const { limit = defaultPageLimit, continue: after, ...wanted } = decoded.value;
      const matches = (item: T) => Object.entries(wanted).every(([name, value]) => filters[name]?.[1](item) === value);
      const all = await items(ports);
      return ok<Page<T>>(pageOf(all.filter(matches), key, { limit, ...(after && { after }) }));
    },
  };
}

/** Orders documents of one file by their place in it. */
function placeKey({ file = "", line = 0, column = 0 }: { file?: string; line?: number; column?: number }): string {
  return `${file}:${String(line).padStart(8, "0")}:${String(column).padStart(6, "0")}`;
}
