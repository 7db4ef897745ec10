import { listenerName } from "../envoy/names.ts";
import type { Repair } from "../envoy/resource-set.ts";
import { addressOf } from "../model/address-bits.ts";
import type { Instance } from "../model/instance.ts";
import { loopbackAddresses, wildcardAddresses } from "../model/ip-families.ts";
import { conflictAt, portText } from "./conflict.ts";
import { type Claim, capturedClaims, dialledClaims, isPerInstance, joiningClaims } from "./listener-claims.ts";
import { type Lost, type Settled, settle } from "./listener-conflicts.ts";
import type { Reachable } from "./scope.ts";
import type { SidecarSettings } from "./sidecar-settings.ts";

/** A listener by which an application calls others, before it is made. */
export interface OutboundListener extends Pick<Settled, "http" | "tcp"> {
  /** The first one names it. */
  readonly binds: readonly string[];
  readonly port: number;
  /** It gets what is captured and meant for its address, and opens no port of its own. */
  readonly captured: boolean;
  /** What none of its parts takes is passed on as the sidecar's policy says. */
  readonly passesRest: boolean;
}

export const nameOf = ({ binds: [first = ""], port }: Pick<OutboundListener, "binds" | "port">): string =>
  listenerName(first, port);

export interface OutboundPlan {
  /** Each has another name. */
  readonly listeners: readonly OutboundListener[];
  readonly conflicts: readonly Repair[];
}

/** The listeners for services whose clients' connections are captured. `instances`: of those services that are per instance, in their order. */
export function planCaptured(
  services: readonly Reachable[],
  settings: SidecarSettings,
  ...instances: readonly (readonly Instance[])[]
): OutboundPlan {
  const lists = instances.values();
  const claims = services.flatMap((one) =>
    capturedClaims(one, settings, isPerInstance(one) ? (lists.next().value ?? []) : []),
  );
  const { proxyListenPort, proxyInboundListenPort } = settings.mesh;
  const own = new Set([proxyListenPort, proxyInboundListenPort]);
  const joining = services.flatMap(joiningClaims);
  return plan({ claims, joining, anywhere: wildcardAddresses[settings.families], captured: true, own });
}

/** Those for services that the application calls through a loopback address of the sidecar. */
export const planDialled = (services: readonly Reachable[], settings: SidecarSettings): OutboundPlan =>
  plan({
    claims: services.flatMap(dialledClaims),
    joining: [],
    anywhere: loopbackAddresses[settings.families],
    captured: false,
    own: new Set([settings.mesh.proxyHttpPort]),
  });

interface Wanted {
  readonly claims: readonly Claim[];
  /** Those that count only where there are others. */
  readonly joining: readonly Claim[];
  /** The addresses of claims for none. */
  readonly anywhere: readonly string[];
  readonly captured: boolean;
  /** Ports that the sidecar itself is on, at those addresses. */
  readonly own: ReadonlySet<number>;
}

function plan({ claims, joining, anywhere, captured, own }: Wanted): OutboundPlan {
  const listeners: OutboundListener[] = [];
  const conflicts: Repair[] = [];
  const groups = Map.groupBy(claims, placeOf);
  for (const claim of joining) groups.get(placeOf(claim))?.push(claim);
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const { address, reachable } = first;
    const port = reachable.port.number;
    const binds = address === undefined ? anywhere : [address];
    const name = nameOf({ binds, port });
    if (address === undefined && own.has(port)) {
      conflicts.push(conflictAt(name, `the sidecar itself is on port ${port}: ${namesOf(group)}`));
      continue;
    }
    const { http, tcp, lost } = settle(group, port);
    listeners.push({ binds, port, captured, passesRest: captured && !isComplete(tcp), http, tcp });
    if (lost.length > 0) conflicts.push(conflictAt(name, lost.map(lostText).join("; ")));
  }
  return { listeners, conflicts };
}

const isComplete = (tcp: Settled["tcp"]): boolean => tcp.some(({ match }) => match.kind === "any");

/** IPv6 addresses have several texts. */
const placeOf = ({ address, reachable }: Claim): string =>
  `${address?.includes(":") ? addressOf(address).bits : address} ${reachable.port.number}`;

const lostText = ({ loser, winner }: Lost): string =>
  `${portText(loser)} gives way to ${portText(winner)}, which comes first and cannot be told from it`;

const namesOf = (claims: readonly Claim[]): string =>
  `${claims.map(({ reachable }) => portText(reachable)).join(", ")} cannot be listened for`;
