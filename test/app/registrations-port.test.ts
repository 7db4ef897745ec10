import { expect, test } from "vitest";
import { registeredServiceView } from "../../src/api/shapes/services.ts";
import { createRegistrationsPort } from "../../src/app/registrations-port.ts";
import { decode } from "../../src/base/decode.ts";
import { createRestLab, host, ports } from "../registry/rest-lab.ts";

test.each([
  ["addresses", { addresses: ["10.96.0.1", "fd00::1"] }, { addresses: ["10.96.0.1", "fd00::1"], headless: false }],
  ["none, because it is headless", { headless: true }, { addresses: [], headless: true }],
  ["names only", {}, { addresses: [], headless: false }],
])("a registered service as clients read it: %s", async (_name, given, shown) => {
  const { api } = await createRestLab();
  const port = createRegistrationsPort(api);
  const outcome = await port.putService(host, { ports, ...given }, "ci");
  const view = outcome.kind === "done" ? outcome.value : expect.fail(JSON.stringify(outcome));
  expect(view).toEqual({
    host,
    namespace: "shop",
    ...shown,
    ports: [{ ...ports[0], protocol: "http" }],
    external: false,
    registeredAt: expect.any(String),
    registeredBy: "ci",
  });
  expect(port.services()).toEqual([view]);
  expect(decode(registeredServiceView, view)).toEqual({ ok: true, value: view, problems: [] });
});
