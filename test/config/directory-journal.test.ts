import { expect, test } from "vitest";
import { directoryJournal } from "../../src/config/directory-journal.ts";
import { rulesOf } from "./support.ts";

test("what a server said of a rule is no part of what its file says", () => {
  const [put] = directoryJournal(
    rulesOf(`apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: a, namespace: shop, uid: u-1, revision: 7, labels: { team: x } }
spec: { hosts: [api.example.com], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }
status: { verdict: valid }
`),
  );
  expect(put?.labels).toEqual({ team: "x" });
  expect(JSON.parse(put?.json ?? "")).toEqual({
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: "a", namespace: "shop", labels: { team: "x" } },
    spec: { hosts: ["api.example.com"], resolution: "DNS", ports: [{ number: 80, name: "http", protocol: "HTTP" }] },
  });
});
