import type { Hostname } from "../model/hostname.ts";

export const registryKinds = ["kubernetes", "file", "rest"] as const;

export type RegistryKind = (typeof registryKinds)[number];

/** What may be told of all registries together. */
export interface RegistryOptions {
  /** Whose services count where several know one: the first. */
  readonly registryOrder: readonly RegistryKind[];
  /** Hosts that are the same service in every registry; wildcards too. */
  readonly joinHosts: readonly Hostname[];
  /** How long removals are held that are not believed at once, in milliseconds; 0: none is. */
  readonly removalHold: number;
  /** The share of its instances, 0 to 1, that a registry may lose within that time and be believed at once. */
  readonly maxShrink: number;
  /** Hosts whose removals are always believed at once; wildcards too. */
  readonly trustRemovals: readonly Hostname[];
}

export const defaultRegistryOptions: RegistryOptions = {
  registryOrder: registryKinds,
  joinHosts: [],
  removalHold: 60_000,
  maxShrink: 0.3,
  trustRemovals: [],
};
