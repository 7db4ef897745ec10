import { memoize } from "../base/memo.ts";
import type { Rule } from "../config/rule.ts";
import type { Hostname } from "../model/hostname.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { isVisibleIn, type Service, type ServiceKey } from "../model/service.ts";
import { isAlias } from "./aliases.ts";
import type { Profile } from "./profile.ts";
import { type EgressScope, importsService, type Reachable } from "./scope.ts";
import { findService, type ServiceTable } from "./service-table.ts";
import type { SidecarSettings } from "./sidecar-settings.ts";
import type { BoundVirtualService } from "./virtual-service.ts";

/** What a profile may see, apart from who is there now and how to call them. */
export interface Frame {
  readonly profile: Profile;
  readonly mesh: MeshSettings;
  /** The Sidecar rule in force for it; none for gateways. */
  readonly sidecar: Rule<"Sidecar"> | undefined;
  readonly settings: SidecarSettings;
  /** The ways out for a sidecar's application, in the order in which they get their listeners; none for gateways and gRPC clients. */
  readonly egress: readonly EgressScope[];
  /** The Gateway rules that select it, oldest first; none for sidecars. */
  readonly gateways: readonly Rule<"Gateway">[];
  /** Those that say something to it, oldest first. */
  readonly virtualServices: readonly BoundVirtualService[];
  /** Every port of every service that it may call, in the order of host names. */
  readonly reachable: readonly Reachable[];
  /** The same by service. */
  readonly reachableOf: (service: ServiceKey) => readonly Reachable[];
  /** The service that a host means; of an alias the one that it stands for. */
  readonly findService: (host: Hostname) => Service | undefined;
}

/** What a frame is made of. */
export interface FrameSources extends Pick<Frame, "profile" | "mesh" | "sidecar" | "gateways" | "virtualServices"> {
  readonly services: ServiceTable;
}

/**
 * The last frame of a profile serves for the next world too, where nothing of what it was made of is another: not what is shown to it, and
 * not what it has looked up.
 */
export function createFrames(
  make: (from: FrameSources, find: Frame["findService"]) => Frame,
): (from: FrameSources) => Frame {
  interface Known {
    from: FrameSources;
    readonly found: Map<Hostname, Service | undefined>;
    readonly frame: Frame;
  }
  const last = new WeakMap<Profile, Known>();
  const imports = memoize(importsService);

  const isShown = (service: Service, { profile: { namespace }, sidecar }: FrameSources): boolean =>
    isVisibleIn(service, namespace) &&
    (sidecar === undefined || sidecar.spec.egress.length === 0 || imports(sidecar, namespace)(service));

  const isConcerned = ({ from, found }: Known, { services, profile }: FrameSources): boolean =>
    from.services.byHost
      .changesTo(services.byHost)
      .some(
        ({ key: host, before = [], after = [] }) =>
          [...before, ...after].some((service) => isShown(service, from)) ||
          (found.has(host) && found.get(host) !== findService(services, host, profile.namespace)),
      );

  const fits = (known: Known, from: FrameSources): boolean =>
    known.from.virtualServices === from.virtualServices &&
    known.from.gateways === from.gateways &&
    known.from.mesh === from.mesh &&
    known.from.sidecar === from.sidecar &&
    !isConcerned(known, from);

  return (from) => {
    const before = last.get(from.profile);
    if (before !== undefined && fits(before, from)) {
      before.from = from;
      return before.frame;
    }
    const found: Known["found"] = new Map();
    const present = { from, found };
    const lookUp = (host: Hostname): Service | undefined => {
      const service = findService(present.from.services, host, from.profile.namespace);
      found.set(host, service);
      return service;
    };
    const find = (host: Hostname): Service | undefined => {
      const service = lookUp(host);
      if (service?.aliasOf === undefined) return service;
      const target = lookUp(service.aliasOf);
      return target && isAlias(target) ? undefined : target;
    };
    const known: Known = Object.assign(present, { frame: make(from, find) });
    last.set(from.profile, known);
    return known.frame;
  };
}
