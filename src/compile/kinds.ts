import type { Resource } from "../envoy/resource-set.ts";
import type { ProxyKind } from "../model/proxy.ts";
import type { Aspects } from "./aspects.ts";
import type { Broken, Report } from "./broken.ts";
import { compileGateway } from "./gateway.ts";
import { guardAspects } from "./guard.ts";
import { type Own, withoutConflicts } from "./own.ts";
import { type Part, sourcesOf } from "./parts.ts";
import { compileProxyless, compileProxylessService } from "./proxyless.ts";
import { envoyPlaceholders, type MakePlaceholders } from "./references.ts";
import type { Reachable } from "./scope.ts";
import { compileService } from "./services.ts";
import { compileSidecar } from "./sidecar.ts";
import type { View } from "./view.ts";

/** How the set of one kind of proxies is made. */
interface Kind {
  /** What does not depend on instances. Comes first: where two want one name (listeners on one address), the first has it. */
  readonly own: (view: View, aspects: Aspects, report: Report) => Own;
  readonly service: (one: Reachable, view: View, aspects: Aspects, report: Report) => readonly Resource[];
  /** What stands in for what is named and not there. */
  readonly placeholders: (view: View, aspects: Aspects) => MakePlaceholders;
}

const placeholdersOfEnvoy: Kind["placeholders"] = ({ mesh }, { placeholder }) => envoyPlaceholders(mesh, placeholder);

export const kinds: Readonly<Record<ProxyKind, Kind>> = {
  sidecar: {
    own: (view, aspects, report) => compileSidecar(view, guardAspects(aspects, report)),
    service: compileService,
    placeholders: placeholdersOfEnvoy,
  },
  gateway: {
    own: (view, aspects, report) => withoutConflicts(compileGateway(view, guardAspects(aspects, report))),
    service: compileService,
    placeholders: placeholdersOfEnvoy,
  },
  proxyless: {
    own: (view, aspects, report) => withoutConflicts(compileProxyless(view, guardAspects(aspects, report))),
    service: compileProxylessService,
    placeholders: placeholdersOfClient,
  },
};

/** Those that a gRPC client takes. */
function placeholdersOfClient({ mesh }: View, aspects: Aspects): MakePlaceholders {
  const others = envoyPlaceholders(mesh, aspects.placeholder);
  return (missing, reason) =>
    missing.type === "CDS" ? aspects.emptyClientCluster(mesh, missing.name, reason) : others(missing, reason);
}

/** Compiles one part of what a view asks for. */
export function partOf(one: Reachable, view: View, aspects: Aspects): Part {
  const broken: Broken[] = [];
  const resources = kinds[view.profile.kind].service(one, view, aspects, (report) => {
    broken.push(report);
  });
  return { resources, broken, from: sourcesOf(one, view) };
}
