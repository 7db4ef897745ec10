import { memoizeList } from "../base/memo.ts";
import { bindsToPort, type Listener, listenAddressesOf, listenerFiltersAt } from "../envoy/listener-messages.ts";
import { type Address, addressOf } from "../model/address-bits.ts";
import { anyAddress, isSameAddress, mappedIpv4 } from "./address.ts";
import type { SocketAddress } from "./connection.ts";

/** A TCP connection as it comes to a proxy. */
export interface Arrival {
  readonly to: SocketAddress;
  /** Where the client wanted to go, of a connection that the machine redirected (iptables). */
  readonly original?: SocketAddress;
}

/** A listener among a proxy's, by its place. */
export interface FoundListener {
  readonly index: number;
  readonly listener: Listener;
  /** It listens at the very address, or at all addresses of the family. */
  readonly by: "address" | "all-addresses";
}

/** `destination`: what filter chains are chosen by. */
export type ListenerChoice =
  | (FoundListener & { readonly kind: "bound"; readonly destination: SocketAddress })
  /** `from` took it and handed it over to who listens at the original destination, with or without a port of its own. */
  | (FoundListener & {
      readonly kind: "handed-over";
      readonly from: FoundListener;
      readonly destination: SocketAddress;
    })
  /** It would have handed it over, but nobody else listens at the original destination. */
  | (FoundListener & { readonly kind: "kept"; readonly destination: SocketAddress })
  /** The connection is refused. */
  | { readonly kind: "nobody" };

/** Which of a proxy's listeners takes a connection, as Envoy and the machine below it decide. */
export function chooseListener(listeners: readonly Listener[], { to, original = to }: Arrival): ListenerChoice {
  const places = placesOf("", listeners);
  const first = foundAt(
    places.filter(({ listener }) => bindsToPort(listener)),
    to,
  );
  if (first === undefined) return { kind: "nobody" };
  const { listener } = first;
  const destination = listenerFiltersAt(listener, to.port).has("original-destination") ? original : to;
  const isRestored = !isSamePlace(destination, to);
  if (!(isRestored && listener.useOriginalDst)) return { kind: "bound", ...first, destination };
  const next = foundAt(places, destination);
  if (next === undefined || next.listener === listener) return { kind: "kept", ...first, destination };
  return { kind: "handed-over", ...next, from: first, destination };
}

/** One address of a listener. */
interface Place {
  readonly index: number;
  readonly listener: Listener;
  readonly address: Address;
  readonly port: number;
  /** An IPv6 address that stands for an IPv4 one too. */
  readonly ipv4: Address | undefined;
}

const placesOf = memoizeList((_, listeners: readonly Listener[]): readonly Place[] =>
  listeners.flatMap((listener, index) =>
    listenAddressesOf(listener).map(({ address: text, port, takesIpv4 }) => {
      const address = addressOf(text);
      const ipv4 = address.bits === 0n ? ({ family: 4, bits: 0n } as const) : mappedIpv4(address);
      return { index, listener, address, port, ipv4: takesIpv4 ? ipv4 : undefined };
    }),
  ),
);

function foundAt(places: readonly Place[], { address: text, port }: SocketAddress): FoundListener | undefined {
  const address = addressOf(text);
  const at = places.filter((place) => place.port === port);
  for (const [by, wanted] of [["address", address] as const, ["all-addresses", anyAddress(address)] as const]) {
    const found =
      at.find((place) => isSameAddress(place.address, wanted)) ??
      at.find(({ ipv4 }) => ipv4 !== undefined && isSameAddress(ipv4, wanted));
    if (found !== undefined) return { index: found.index, listener: found.listener, by };
  }
  return undefined;
}

const isSamePlace = (a: SocketAddress, b: SocketAddress): boolean =>
  a.port === b.port && isSameAddress(addressOf(a.address), addressOf(b.address));
