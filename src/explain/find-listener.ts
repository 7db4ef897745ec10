import { MeshError } from "../base/errors.ts";
import { isInbound, type Listener, listenAddressesOf } from "../envoy/listener-messages.ts";
import { quoted } from "./condition.ts";
import type { SocketAddress } from "./connection.ts";
import { chooseListener, type ListenerChoice } from "./listener-choice.ts";
import type { Question } from "./question.ts";

/** The listener that a question is for. */
export type Found =
  | { readonly kind: "nobody"; readonly at: SocketAddress }
  | {
      readonly kind: "found";
      readonly listener: Listener;
      readonly how: string;
      readonly destination: SocketAddress;
      /** Another listener found out where the client wanted to go. */
      readonly isHandedOver?: boolean;
    };

/** A client without sockets has a listener for each name that it dials. Throws `input/invalid` where it is not clear which one is meant. */
export function findListener(
  listeners: readonly Listener[],
  { listener: wanted, destination, request }: Question,
): Found {
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
  return address === undefined ? byPort(listeners, port) : byAddress(listeners, { address, port });
}

/** As Envoy finds it; what redirects connections to itself is asked first, as iptables bring all of them there. */
function byAddress(listeners: readonly Listener[], at: SocketAddress): Found {
  const capturing = listeners.find((one) => one.useOriginalDst && !isInbound(one));
  const [own] = capturing === undefined ? [] : listenAddressesOf(capturing);
  const choice = chooseListener(listeners, own === undefined ? { to: at } : { to: own, original: at });
  if (choice.kind === "nobody") return { kind: "nobody", at };
  const isHandedOver = choice.kind === "handed-over";
  return {
    kind: "found",
    listener: choice.listener,
    how: howText(choice),
    destination: choice.destination,
    isHandedOver,
  };
}

function howText(choice: Exclude<ListenerChoice, { readonly kind: "nobody" }>): string {
  if (choice.kind === "kept") return "as nobody else listens at the address";
  const by = choice.by === "address" ? "as it listens at the address" : "as it listens at all addresses";
  return choice.kind === "handed-over" ? `handed over by ${quoted(choice.from.listener.name)}, ${by}` : by;
}

/** Where the address is not known. */
function byPort(listeners: readonly Listener[], port: number): Found {
  const outbound = listeners.filter((one) => !isInbound(one));
  const atPort = outbound.filter((one) => listenAddressesOf(one).some((address) => address.port === port));
  const meant = atPort.length > 0 ? atPort : outbound;
  const [only, ...others] = meant;
  if (only === undefined) throw notClear("the proxy has no listener for requests that it is to send on", listeners);
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
