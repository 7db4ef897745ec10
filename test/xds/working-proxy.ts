import { expect } from "vitest";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { type Versions, wireSet } from "../support/wire-resources.ts";
import { DeltaDriver, SotwDriver } from "./driver.ts";

export const old: Versions = { CDS: { c1: "1" }, EDS: { c1: "1" }, LDS: { l: "1" }, RDS: { r: "1" } };

/** From `old` to a second cluster, with a listener and a route that use it. */
export const moved: Versions = {
  CDS: { c1: "1", c2: "1" },
  EDS: { c1: "1", c2: "1" },
  LDS: { l: "2" },
  RDS: { r: "2" },
};

export type Variant = "sotw" | "delta";

export const newProxy = (variant: Variant): DeltaDriver | SotwDriver =>
  variant === "sotw" ? new SotwDriver() : new DeltaDriver();

/** A proxy like Envoy that has taken a first set. */
export function connected(variant: Variant, first: Versions = old): DeltaDriver | SotwDriver {
  const proxy = newProxy(variant);
  proxy.set(wireSet(first));
  proxy.ask("CDS", []);
  proxy.ask("EDS", Object.keys(first.EDS ?? {}));
  proxy.ask("LDS", []);
  proxy.ask("RDS", Object.keys(first.RDS ?? {}));
  for (const { type } of proxy.responses()) proxy.ack(type.short);
  expect(proxy.sent()).toEqual([]);
  expect([...proxy.timers]).toEqual([]);
  return proxy;
}

/** Subscribes to more endpoints, as a proxy does that has got new clusters. */
export const askForEndpoints = (
  proxy: DeltaDriver | SotwDriver,
  names: readonly string[],
  all: readonly string[],
): void =>
  proxy instanceof SotwDriver
    ? proxy.ask("EDS", all, { nonce: proxy.nonce("EDS") })
    : proxy.ask("EDS", names, {}, { nonce: proxy.nonce("EDS") });

export const types = (proxy: DeltaDriver | SotwDriver): readonly TypeName[] =>
  proxy.responses().map(({ type }) => type.short);
