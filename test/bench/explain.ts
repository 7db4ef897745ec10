import type { JsonObject } from "@bufbuild/protobuf";
import { readRouteConfiguration } from "../../src/envoy/route-messages.ts";
import type { Request } from "../../src/explain/request.ts";
import { routeTable } from "../../src/explain/route-table.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";
import { monotonicMs } from "./monotonic.ts";
import { spreadOf } from "./statistics.ts";

const size = 1_000;
const rounds = 9;
const decisions = 100_000;

const forward = (index: number): JsonObject => ({
  route: { cluster: `outbound|80||service-${index}.shop.svc.cluster.local` },
});

const header = (index: number): JsonObject => ({
  headers: [{ name: "x-user", string_match: { exact: `user-${index}` } }],
});

/** One virtual host with these matches, and a route for the rest. */
const tableOf = (match: (index: number) => JsonObject): JsonObject => ({
  name: "routes",
  virtual_hosts: [
    {
      name: "all",
      domains: ["*"],
      routes: [
        ...Array.from({ length: size - 1 }, (_, i) => ({ match: match(i), ...forward(i) })),
        { match: { prefix: "/" }, ...forward(size) },
      ],
    },
  ],
});

/** As people write them: paths of their own, three of four for a header too. */
const paths = tableOf((i) => ({ prefix: `/service-${i - (i % 4)}/`, ...(i % 4 < 3 && header(i)) }));

/** All for the same paths, so that each must be looked at. */
const alike = tableOf((i) => ({ prefix: "/api/", ...header(i) }));

const hosts: JsonObject = {
  name: "hosts",
  virtual_hosts: Array.from({ length: size }, (_, i) => ({
    name: `service-${i}`,
    domains: ["", ".shop", ".shop.svc.cluster.local"].map((end) => `service-${i}${end}`),
    routes: [{ match: { prefix: "/" }, ...forward(i) }],
  })),
};

/** The tables, and what they are asked: names and paths that are there, one after the other, and one in ten that is not. */
const cases: readonly {
  readonly title: string;
  readonly table: JsonObject;
  readonly request: (i: number) => Request;
}[] = [
  {
    title: `${size} routes, by path and header`,
    table: paths,
    request: (i) => ({
      ...{ method: "GET", scheme: "http", authority: "shop" },
      path: i % 10 === 0 ? `/other/${i}` : `/service-${(7 * i) % size}/api?page=${i}`,
      headers: i % 2 === 0 ? [["x-user", `user-${(7 * i) % size}`]] : [],
    }),
  },
  {
    title: `${size} routes, by header alone`,
    table: alike,
    request: (i) => ({
      ...{ method: "GET", scheme: "http", authority: "shop", path: `/api/${i}` },
      headers: [["x-user", `user-${(7 * i) % size}`]],
    }),
  },
  {
    title: `${size} virtual hosts`,
    table: hosts,
    request: (i) => ({
      ...{ method: "GET", scheme: "http", path: `/api?page=${i}`, headers: [] },
      authority: i % 10 === 0 ? `other-${i}` : `service-${(7 * i) % size}.shop`,
    }),
  },
];

/** How many requests a second of CPU are decided on: the route, and what becomes of the request on it. */
export async function explainBench(): Promise<string> {
  const lines = cases.map(({ title, table, request }) => {
    const begun = monotonicMs();
    const decided = routeTable(readRouteConfiguration(table), semanticsOf(undefined));
    const requests = Array.from({ length: size }, (_, i) => request(i));
    decided.decide(requests[0] ?? request(0));
    const readMs = monotonicMs() - begun;
    const rates = Array.from({ length: rounds }, () => {
      const start = process.cpuUsage();
      let found = 0;
      for (let i = 0; i < decisions; i++) {
        const decision = decided.decide(requests[i % size] ?? request(i));
        for (const outcome of decision.outcomes) {
          if (outcome.kind === "route") found += decided.actionsOf(decision, outcome.route).length;
        }
      }
      if (found === 0) throw new Error("nobody took a request");
      const { user, system } = process.cpuUsage(start);
      return (1e6 * decisions) / (user + system);
    });
    const { median, min, max } = spreadOf(rates);
    const thousands = (rate: number): string => `${Math.round(rate / 1_000)},000`;
    return `${title.padEnd(36)}${thousands(median)} a second of CPU (${thousands(min)} to ${thousands(max)}); read in ${readMs.toFixed(0)} ms`;
  });
  return ["Decisions of the matcher, each with what becomes of the request", ...lines].join("\n");
}
