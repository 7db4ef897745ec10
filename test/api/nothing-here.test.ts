import { expect, test } from "vitest";
import { createApp } from "../../src/api/http.ts";
import type { ProblemView } from "../../src/api/types/server.ts";
import { clock, ports, silent, version } from "./fixture.ts";

test.each([
  ["/api/v1/VirtualServices", /^Did you mean \/api\/v1\/virtualservices\?/],
  ["/api/v1/virtualservice?limit=1", /^Did you mean \/api\/v1\/virtualservices\?/],
  ["/api/v1/virtualservices/", /^Leave the slash at the end out: \/api\/v1\/virtualservices\.$/],
  ["/api/v1/namespaces/shop/virtualService/reviews", /^Did you mean \/api\/v1\/namespaces\/shop\/virtualservices\?/],
  [
    "/api/v1/namespaces/shop/httproutes",
    /^There are virtualservices, destinationrules, gateways, serviceentries, sidecars\.$/,
  ],
  ["/api/v1/namespaces/shop", /^There are virtualservices, /],
  ["/api/v2/rules", /^Did you mean \/api\/v1\?/],
  ["/api/v1/whoami/x/y", undefined],
  ["/favicon.ico", undefined],
])("what %s may have meant", async (url, hint) => {
  const app = createApp({ ports: ports(), log: silent, clock, version });
  const problem = (await app.inject({ url, headers: { host: "localhost" } })).json<ProblemView>();
  expect(problem).toMatchObject({ status: 404, code: "api/not-found" });
  if (hint === undefined) expect(problem.hint).toBeUndefined();
  else expect(problem.hint).toMatch(hint);
});
