import { describe, expect, test } from "vitest";
import { workloadIn } from "../../src/compile/dialled.ts";
import { profileOf } from "../../src/compile/profile.ts";
import { createViewer } from "../../src/compile/view.ts";
import type { CatalogEntry } from "../../src/model/catalog.ts";
import type { Service } from "../../src/model/service.ts";
import { service, sidecar, world } from "../support/mesh.ts";

/* Services that other namespaces do not let everybody see. */

const changed = (entry: CatalogEntry, part: Partial<Service>): CatalogEntry => ({
  ...entry,
  service: { ...entry.service, ...part },
});

describe("a service that is not visible", () => {
  const seenFrom = (namespace: string, services: readonly CatalogEntry[], viewer = createViewer()) => {
    const here = world({ services });
    const node = sidecar("web", { namespace, dnsDomain: `${namespace}.svc.cluster.local` });
    return viewer(here, profileOf(here, node));
  };
  const some = ["a", "b", "c"].map((name) => service(name));
  const [a, b, c] = some as [CatalogEntry, CatalogEntry, CatalogEntry];

  test.each<{ visibleIn: readonly string[] | undefined; from: Readonly<Record<string, boolean>> }>([
    { visibleIn: undefined, from: { shop: true, mall: true } },
    { visibleIn: ["shop"], from: { shop: true, mall: false } },
    { visibleIn: ["mall", "bank"], from: { shop: false, mall: true } },
    { visibleIn: [], from: { shop: false, mall: false } },
  ])("in $visibleIn only is not there for others", ({ visibleIn, from }) => {
    for (const [namespace, isSeen] of Object.entries(from)) {
      const { reachable, findService } = seenFrom(namespace, [changed(a, visibleIn ? { visibleIn } : {}), b]);
      expect(reachable.map(({ service: { hostname } }) => hostname)).toEqual(
        isSeen ? [a.service.hostname, b.service.hostname] : [b.service.hostname],
      );
      expect(findService(a.service.hostname) !== undefined).toBe(isSeen);
    }
  });

  test("leaves namespaces that see alike one list of what they see", () => {
    const services = [changed(a, { visibleIn: ["shop"] }), changed(b, { visibleIn: ["shop", "bank"] }), c];
    const viewer = createViewer();
    const here = world({ services });
    const seen = (namespace: string) => viewer(here, profileOf(here, sidecar("x", { namespace }))).reachable;
    expect(seen("mall")).toBe(seen("farm"));
    expect(seen("bank")).not.toBe(seen("mall"));
    expect(seen("shop")).toHaveLength(3);
  });

  test("is found by the resolver all the same", () => {
    const hidden = changed(a, { visibleIn: [], addresses: ["10.96.0.7"] });
    expect(workloadIn(world({ services: [hidden] }), sidecar()).lookUp("a").address).toBe("10.96.0.7");
  });
});
