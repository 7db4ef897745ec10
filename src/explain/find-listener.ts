import { MeshError } from "../base/errors.ts";
import { isInbound, type Listener, listenAddressesOf } from "../envoy/listener-messages.ts";
import { addressOf } from "../model/address-bits.ts";
import { isLoopbackNetwork, isSameAddress } from "./address.ts";
import { type Capture, capturedFrom, capturedTo, inboundTaker, outboundTaker } from "./capture.ts";
import { quoted } from "./condition.ts";
import type { SocketAddress } from "./connection.ts";
import { chooseListener } from "./listener-choice.ts";
import type { Question } from "./question.ts";
import type { LookUp, Workload } from "./workload.ts";

/** The listener that a question is for. */
export type Found =
  | { readonly kind: "nobody"; readonly at: SocketAddress }
  | {
      readonly kind: "found";
      readonly listener: Listener;
      readonly how: string;
      readonly destination: SocketAddress;
      /** The machine brought the connection there; absent: the client dials the listener itself. */
      readonly capture?: Capture;
    };

/** What else a listener is found by. */
export interface Surroundings {
  readonly workload: Workload | undefined;
  /** Of names where the workload is not known. */
  readonly lookUp: LookUp;
}

/** A client without sockets has a listener for each name that it dials. Throws `input/invalid` where it is not clear which one is meant. */
export function findListener(
  listeners: readonly Listener[],
  question: Question,
  { workload, lookUp }: Surroundings,
): Found {
  const { listener: wanted, destination, request } = question;
  const { address, port } = destination;
  if (wanted !== undefined) {
    const listener = listeners.find(({ name }) => name === wanted);
    if (listener === undefined) throw notClear(`the proxy has no listener ${quoted(wanted)}`, listeners);
    return { kind: "found", listener, how: "as asked for", destination: knownDestination(listener, destination) };
  }
  const dialled = listeners.find(({ name, apiListener }) => apiListener !== undefined && name === request?.authority);
  if (dialled !== undefined) {
    return {
      kind: "found",
      listener: dialled,
      how: "the name that is dialled",
      destination: knownDestination(dialled, destination),
    };
  }
  const isToWorkload = question.isInbound || (address !== undefined && isOneOf(workload?.addresses ?? [], address));
  const captured = isToWorkload
    ? withTaker(inboundTaker(listeners), (by) => capturedTo(by, question, workload))
    : address !== undefined && isLoopbackNetwork(address)
      ? undefined
      : withTaker(outboundTaker(listeners), (by) => capturedFrom(by, listeners, question, workload?.lookUp ?? lookUp));
  if (captured !== undefined) return { kind: "found", ...captured };
  if (address !== undefined) return byAddress(listeners, { address, port });
  return byPort(
    listeners.filter((one) => isInbound(one) === question.isInbound),
    port,
    listeners,
  );
}

const withTaker = <T>(taker: Listener | undefined, captured: (taker: Listener) => T): T | undefined =>
  taker === undefined ? undefined : captured(taker);

const isOneOf = (addresses: readonly string[], address: string): boolean =>
  addresses.some((one) => isSameAddress(addressOf(one), addressOf(address)));

/** As Envoy finds it. */
function byAddress(listeners: readonly Listener[], at: SocketAddress): Found {
  const choice = chooseListener(listeners, { to: at });
  if (choice.kind === "nobody") return { kind: "nobody", at };
  const how = choice.by === "address" ? "as it listens at the address" : "as it listens at all addresses";
  return { kind: "found", listener: choice.listener, how, destination: choice.destination };
}

/** Where the address is not known, among those of the direction that is meant. */
function byPort(directed: readonly Listener[], port: number, all: readonly Listener[]): Found {
  const atPort = directed.filter((one) => listenAddressesOf(one).some((address) => address.port === port));
  const meant = atPort.length > 0 ? atPort : directed;
  const [only, ...others] = meant;
  if (only === undefined) throw notClear("the proxy has no listener for such requests", all);
  if (others.length > 0) {
    throw notClear(
      atPort.length > 0 ? `several listeners are on port ${port}` : `no listener is on port ${port}`,
      meant,
    );
  }
  const how = atPort.length > 0 ? `the only one on port ${port}` : "the only one of the proxy";
  return { kind: "found", listener: only, how, destination: knownDestination(only, { port }) };
}

function knownDestination(listener: Listener, { address, port }: Question["destination"]): SocketAddress {
  if (address !== undefined) return { address, port };
  const [own] = listenAddressesOf(listener);
  return { address: own?.address ?? "0.0.0.0", port: own?.port ?? port };
}

/** As many as are named in a hint. */
const maxNamed = 20;

function notClear(message: string, listeners: readonly Listener[]): MeshError {
  const names = listeners.map(({ name }) => name);
  const more = names.length > maxNamed ? `, and ${names.length - maxNamed} more` : "";
  const hint =
    names.length === 0
      ? "It has no listeners at all."
      : `It has ${names.slice(0, maxNamed).join(", ")}${more}. Say which one is meant.`;
  return new MeshError("input/invalid", message, { hint });
}
