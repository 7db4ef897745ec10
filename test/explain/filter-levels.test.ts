import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import type { Cors } from "../../src/explain/cors.ts";
import { envoyBinary, envoyLines, launchTestEnvoy } from "../support/envoy.ts";
import { staticBootstrap } from "../support/static-envoy.ts";
import {
  type Around,
  ask,
  clusterOf,
  configurationOf,
  filter,
  forwardedIn,
  listenerOf,
  managerAround,
  per,
  settings,
} from "./configuration.ts";

/* Filters with settings on several levels, as a real Envoy has them: it aborts, or says who may call, by those that hold. */

const faultType = "envoy.extensions.filters.http.fault.v3.HTTPFault";
const aborting = (http_status: number, more: JsonObject = {}): JsonObject => ({
  abort: { http_status, percentage: { numerator: 100 } },
  ...more,
});
const fault = (message: JsonObject, name = "fault"): JsonObject => per(name, settings(faultType, message));
const faults = [filter("fault", faultType)];
const ownFault = [filter("fault", faultType, aborting(505))];
const sleepingFault = [filter("fault", faultType, aborting(505), { disabled: true })];
const several = (cluster: JsonObject, route: JsonObject = {}): JsonObject => ({
  ...{ match: { prefix: "/" }, ...route },
  route: { weighted_clusters: { clusters: [{ name: "a", weight: 1, ...cluster }] } },
});

const corsType = "envoy.extensions.filters.http.cors.v3.CorsPolicy";
const cors = (message: JsonObject): JsonObject => per("cors", settings(corsType, message));
const corsFilters = [filter("cors", "envoy.extensions.filters.http.cors.v3.Cors")];
const everybody: JsonObject = { allow_origin_string_match: [{ prefix: "https://" }] };

const off = (name: string): JsonObject => per(name, settings("envoy.config.route.v3.FilterConfig", { disabled: true }));
const on = (name: string, config: JsonObject): JsonObject =>
  per(name, settings("envoy.config.route.v3.FilterConfig", { config }));

const only1: JsonObject = { headers: [{ name: "x-test", string_match: { exact: "1" } }] };

const cases: Readonly<Record<string, Around>> = {
  "a fault of nobody": { filters: faults },
  "a fault of the filter": { filters: ownFault },
  "a fault of the table": { filters: ownFault, table: fault(aborting(504)) },
  "a fault of the host": { filters: ownFault, table: fault(aborting(504)), host: fault(aborting(506)) },
  "a fault of the route": { filters: faults, host: fault(aborting(506)), route: fault(aborting(502)) },
  "a fault of one of several clusters": {
    filters: faults,
    route: several(fault(aborting(501)), fault(aborting(502))),
  },
  "a fault of a name that no filter has": { filters: ownFault, host: fault(aborting(502), "other") },
  "a fault without settings of the nearest level": { filters: ownFault, table: fault(aborting(504)), route: fault({}) },
  "a fault in a wrapping": { filters: ownFault, route: on("fault", settings(faultType, aborting(502))) },
  "a fault that is off for the route": { filters: ownFault, host: fault(aborting(506)), route: off("fault") },
  "a fault that is off for the host": { filters: ownFault, table: fault(aborting(504)), host: off("fault") },
  "a fault that is on again for the route": { filters: ownFault, host: off("fault"), route: fault(aborting(502)) },
  "a fault that is off for one of several clusters": {
    filters: ownFault,
    route: several(off("fault"), fault(aborting(502))),
  },
  "a fault that sleeps": { filters: sleepingFault },
  "a fault that sleeps, and settings": { filters: sleepingFault, host: fault(aborting(506)) },
  "a fault for some headers": { filters: faults, route: fault(aborting(502, only1)) },
  "a fault for the cluster": { filters: faults, route: fault(aborting(502, { upstream_cluster: "a" })) },
  "a fault for another cluster": { filters: faults, route: fault(aborting(502, { upstream_cluster: "b" })) },
  "a fault without a percentage": { filters: faults, route: fault({ abort: { http_status: 502 } }) },
  "CORS of nobody": { filters: corsFilters },
  "CORS of three levels": {
    filters: corsFilters,
    table: cors({ ...everybody, allow_methods: "GET", allow_headers: "x-a", max_age: "600", allow_credentials: true }),
    host: cors({ allow_methods: "PUT", expose_headers: "x-b" }),
    route: cors({ allow_credentials: false }),
  },
  "CORS that is off": {
    filters: corsFilters,
    table: cors({ ...everybody, allow_methods: "GET" }),
    route: off("cors"),
  },
  "CORS for none of the requests": {
    filters: corsFilters,
    table: cors({ ...everybody, allow_methods: "GET" }),
    route: cors({ filter_enabled: { default_value: { numerator: 0 } } }),
  },
  "CORS in the older fields": {
    filters: corsFilters,
    host: { cors: { ...everybody, allow_methods: "GET", max_age: "1" } },
    action: { cors: { allow_methods: "PUT" } },
  },
  "CORS in both fields": {
    filters: corsFilters,
    table: cors({ ...everybody, allow_headers: "x-a" }),
    host: { cors: { ...everybody, allow_methods: "GET" } },
  },
};

/** What a request without and one with the header gets, and a page of another origin that asks first. */
interface Seen {
  readonly statuses: readonly number[];
  readonly cors?: Omit<Cors, "allowOrigins">;
}

const noUpstream = 503;

function here(around: Around): Seen {
  const configuration = configurationOf({ listeners: [listenerOf(managerAround(around))], clusters: [clusterOf("a")] });
  const policies = [{}, { headers: { "x-test": "1" } }].map(
    (more) => forwardedIn(ask(configuration, { url: "http://a/", ...more })).policies,
  );
  const { allowOrigins, ...rest } = policies[0]?.cors ?? {};
  return {
    statuses: policies.map(({ fault }) => fault?.abort?.status ?? noUpstream),
    ...(allowOrigins !== undefined && allowOrigins.length > 0 && { cors: rest as Omit<Cors, "allowOrigins"> }),
  };
}

async function there(url: string): Promise<Seen> {
  const asked = [{}, { "x-test": "1" }].map((headers) => fetch(url, { headers }));
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  const origin = "https://a";
  const first = await fetch(url, { method: "OPTIONS", headers: { origin, "access-control-request-method": "GET" } });
  const then = await fetch(url, { headers: { origin } });
  const told = (name: string, { headers }: Response): string => headers.get(`access-control-${name}`) ?? "";
  if (told("allow-origin", first) === "") return { statuses };
  return {
    statuses,
    cors: {
      ...{ allowMethods: told("allow-methods", first), allowHeaders: told("allow-headers", first) },
      ...{ exposeHeaders: told("expose-headers", then), maxAge: told("max-age", first) },
      allowCredentials: told("allow-credentials", first) === "true",
    },
  };
}

describe.each(envoyLines)("Envoy %s", (line) => {
  test("holds to the settings that are told", async (context) => {
    const { path } = await envoyBinary(context, line);
    const listeners = Object.entries(cases).map(([name, around]) => ({
      ...listenerOf(managerAround(around)),
      ...{ name, address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    }));
    const envoy = await launchTestEnvoy({
      ...{ cleanup: context.onTestFinished, launcher: processLauncher(path), concurrency: 1 },
      bootstrap: staticBootstrap(listeners, [clusterOf("a")]),
    });
    const admin = await envoy.ready();
    const seen: Record<string, Seen> = {};
    for (const { name, address } of await admin.listeners()) {
      seen[name] = await there(`http://127.0.0.1:${address?.port}/`);
    }
    const told = Object.fromEntries(Object.entries(cases).map(([name, around]) => [name, here(around)]));
    expect(told).toEqual(seen);
    // Otherwise it would be no proof.
    expect(new Set(Object.values(seen).flatMap(({ statuses }) => statuses))).toEqual(
      new Set([501, 502, 503, 504, 505, 506]),
    );
    expect(Object.values(seen).filter((one) => one.cors !== undefined)).toHaveLength(3);
  });
});
