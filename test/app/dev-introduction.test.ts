import { expect, test } from "vitest";
import { type Introduction, introduction } from "../../src/app/dev/introduction.ts";
import type { MeshPlan } from "../../src/app/dev/mesh-plan.ts";
import { colourStyle, plainStyle } from "../../src/cli/style.ts";

const plan: MeshPlan = {
  namespace: "shop",
  gateway: { address: "127.0.0.1", port: 8080 },
  servicePorts: { web: 8000, reviews: 9080 },
  workloads: [
    { service: "web", version: "v1", address: "127.0.71.1", ingressPort: 8000, calls: ["reviews"] },
    { service: "reviews", version: "v2", address: "127.0.71.3", ingressPort: 9080, calls: [] },
  ],
  controlPlane: { host: "127.0.0.1", xds: 15_010, api: 15_080, metrics: 15_014 },
};

const host = "127.0.0.1";
const input: Introduction = {
  version: "0.1.0",
  envoy: "Envoy 1.40.0 (wheel)",
  plan,
  appPorts: [36_337, 41_053],
  listens: { xds: { host, port: 15_010 }, api: { host, port: 15_080 }, metrics: { host, port: 15_014 } },
  url: "http://127.0.0.1:8080/",
  arrival: { kind: "arrived", answer: "web v1 -> reviews v2", afterMs: 749 },
  edit: "fairway-dev/rules/reviews.yaml:13",
  apply: "fairway-dev/ratings.yaml",
  tokenFile: "fairway-dev/data/token",
  logs: ["fairway-dev/control-plane.log", "fairway-dev/envoy/*/envoy.log"],
};

test("says what runs where, and what to do now", () => {
  expect(introduction(input, plainStyle)).toBe(`
Fairway 0.1.0  Envoy 1.40.0 (wheel); first request routed after 0.7 s

  control plane  xDS      127.0.0.1:15010
                 API      http://127.0.0.1:15080/openapi.json
                 metrics  http://127.0.0.1:15014/metrics
  gateway        Envoy    127.0.0.1:8080
  web-v1         Envoy    127.0.71.1:8000    in front of 127.0.0.1:36337
  reviews-v2     Envoy    127.0.71.3:9080    in front of 127.0.0.1:41053

  Try    curl http://127.0.0.1:8080/
         web v1 -> reviews v2
  Edit   fairway-dev/rules/reviews.yaml:13              the weights of a canary; saving is enough
  Apply  npx fairway apply -f fairway-dev/ratings.yaml  another one: edit its file, then apply it
  Ask    npx fairway proxies                            who has what
  Curl   curl -X PATCH http://127.0.0.1:15080/api/v1/namespaces/shop/virtualservices/ratings \\
           -H "authorization: Bearer $(cat fairway-dev/data/token)" \\
           -H "content-type: application/json-patch+json" \\
           -d '[{"op":"replace","path":"/spec/http/0/route/0/weight","value":50},
                {"op":"replace","path":"/spec/http/0/route/1/weight","value":50}]'
  Logs   fairway-dev/control-plane.log  fairway-dev/envoy/*/envoy.log
  Stop   Ctrl-C

`);
});

test("names the server where it is not the usual one, and says why no request got through", () => {
  const text = introduction(
    {
      ...input,
      edit: "a.yaml:1",
      listens: { ...input.listens, api: { host, port: 41_234 } },
      arrival: { kind: "failed", reason: "no request reaches the services through http://127.0.0.1:8080/: 404" },
    },
    plainStyle,
  );
  expect(text).toContain("Fairway 0.1.0  Envoy 1.40.0 (wheel)\n");
  expect(text).toContain(`
                 API      http://127.0.0.1:41234/openapi.json
`);
  expect(text).toContain(`
  Try    curl http://127.0.0.1:8080/
         no request reaches the services through http://127.0.0.1:8080/: 404
  Edit   a.yaml:1                                                                the weights of a canary; saving is enough
  Apply  npx fairway apply -f fairway-dev/ratings.yaml --server 127.0.0.1:41234  another one: edit its file, then apply it
  Ask    npx fairway proxies --server 127.0.0.1:41234                            who has what
`);
});

test("says the same in colours", () => {
  const coloured = introduction(input, colourStyle);
  expect(coloured).toContain("\u001b[36mcurl http://127.0.0.1:8080/\u001b[39m");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what colours are made of
  expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(introduction(input, plainStyle));
});
