import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { isYamlOrJson, readFiles } from "../base/read-files.ts";
import { shareUnchanged } from "../base/share.ts";
import { createSignal } from "../base/signal.ts";
import { type FileWatch, watchFiles } from "../base/watch-files.ts";
import type { Catalog } from "../model/catalog.ts";
import type { CatalogFormatOptions } from "./catalog-format.ts";
import { type CatalogResult, parseCatalog } from "./read-catalog.ts";
import { shareCatalog } from "./share-catalog.ts";
import type { RegistryHealth, RegistrySource, RegistryState } from "./source.ts";

export interface FileRegistryOptions {
  readonly name?: string;
  /** Files and directories of YAML or JSON. */
  readonly paths: readonly string[];
  /** The mesh's domain, for services that are given by name and namespace. */
  readonly domain: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The registry `file`: one catalog out of watched files. All files are taken together or not at all: while one of them
 * cannot be read or has a problem, the last good catalog stays and the state is OUTAGE with every problem named.
 */
export async function createFileRegistry(options: FileRegistryOptions): Promise<RegistrySource> {
  const { name = "file", paths, domain, clock, log } = options;
  const format: CatalogFormatOptions = { registry: name, domain };
  const catalog = createSignal<Catalog | undefined>(undefined);
  const health = createSignal<RegistryHealth>({ state: "INITIAL", since: clock.now(), problems: [] });

  const setHealth = (state: RegistryState, problems: RegistryHealth["problems"]) => {
    const since = state === health.value.state ? health.value.since : clock.now();
    health.set(shareUnchanged(health.value, { state, since, problems }));
  };

  const take = (result: CatalogResult) => {
    if (result.ok) {
      catalog.set(shareCatalog(catalog.value, result.catalog));
      setHealth("LIVE", []);
      return;
    }
    setHealth(catalog.value === undefined ? "INITIAL" : "OUTAGE", result.problems);
  };

  const load = serialized(async (watch: FileWatch) => {
    try {
      take(parseCatalog(await watch.read(), format));
    } catch (error) {
      log.error({ registry: name, err: error }, "cannot load the catalog");
    }
  });

  let watch: FileWatch | undefined;
  const onChange = () => {
    if (watch !== undefined) void load(watch);
  };
  watch = await watchFiles({ paths, match: isYamlOrJson, clock, log, onChange });
  await load(watch);
  return {
    name,
    catalog,
    health,
    close: async () => {
      await watch.close();
      await load.idle();
    },
  };
}

/** One run at a time; calls during a run lead to one more. */
function serialized<A>(task: (argument: A) => Promise<void>) {
  let running: Promise<void> | undefined;
  let again = false;
  const run = async (argument: A): Promise<void> => {
    do {
      again = false;
      await task(argument);
    } while (again);
  };
  const start = (argument: A): Promise<void> => {
    again = running !== undefined;
    running ??= run(argument).finally(() => {
      running = undefined;
    });
    return running;
  };
  return Object.assign(start, { idle: async () => running });
}

/** Reads the files once, for commands that need no server. */
export async function readCatalog(
  paths: readonly string[],
  { registry = "file", domain }: { readonly registry?: string; readonly domain: string },
): Promise<CatalogResult> {
  return parseCatalog(await readFiles({ paths }), { registry, domain });
}
