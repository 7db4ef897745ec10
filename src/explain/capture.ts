import {
  bindsToPort,
  isInbound,
  type Listener,
  listenAddressesOf,
  listenerFiltersAt,
} from "../envoy/listener-messages.ts";
import { addressOf } from "../model/address-bits.ts";
import { quoted } from "./condition.ts";
import type { SocketAddress } from "./connection.ts";
import { chooseListener, type ListenerChoice } from "./listener-choice.ts";
import type { Question } from "./question.ts";
import type { LookUp, Workload } from "./workload.ts";

/** How a connection came to a proxy that the machine redirects connections to (iptables). */
export interface Capture {
  readonly direction: "inbound" | "outbound";
  /** The listener that takes all of them first. */
  readonly by: Listener;
  /** Where the client dialled. */
  readonly dialled: DialledAddress;
}

export interface DialledAddress {
  /** Absent: nobody here knows it. */
  readonly address?: string;
  readonly port: number;
  /** How that came about: a few words. */
  readonly found: string;
}

/** The listener that decides on a captured connection. */
export interface Captured {
  readonly listener: Listener;
  readonly how: string;
  /** What filter chains are chosen by. */
  readonly destination: SocketAddress;
  readonly capture: Capture;
}

/* Of the workload */

export const outboundTaker = (listeners: readonly Listener[]): Listener | undefined =>
  listeners.find((one) => one.useOriginalDst && !isInbound(one));

/** undefined: nothing that is captured can be meant, as the address is not known, and only the application itself can say where it dials. */
export function capturedFrom(
  by: Listener,
  listeners: readonly Listener[],
  { destination }: Question,
  lookUp: LookUp,
): Captured | undefined {
  const dialled = dialledOf(destination, lookUp);
  const capture: Capture = { direction: "outbound", by, dialled };
  const { address, port } = dialled;
  const [own = { address: "0.0.0.0", port }] = listenAddressesOf(by);
  if (address !== undefined) {
    return chosen(chooseListener(listeners, { to: own, original: { address, port } }), { address, port }, capture);
  }
  const atPort = listeners.filter((one) => one !== by && !isInbound(one) && isOn(one, port));
  const atAll = atPort.find((one) => listenAddressesOf(one).some((at) => addressOf(at.address).bits === 0n));
  if (atAll === undefined && atPort.some(bindsToPort)) return undefined;
  const destinationOf = (listener: Listener): SocketAddress => ({
    address: listenAddressesOf(listener)[0]?.address ?? "0.0.0.0",
    port,
  });
  return atAll === undefined
    ? {
        listener: by,
        how: `as nobody listens at all addresses of port ${port}`,
        destination: destinationOf(by),
        capture,
      }
    : {
        listener: atAll,
        how: handedOver(by, "as it listens at all addresses"),
        destination: destinationOf(atAll),
        capture,
      };
}

const isOn = (listener: Listener, port: number): boolean => listenAddressesOf(listener).some((at) => at.port === port);

function dialledOf({ address, port, name }: Question["destination"], lookUp: LookUp): DialledAddress {
  if (address !== undefined) return { address, port, found: "the address that was asked for" };
  return name === undefined ? { port, found: "it was not said" } : { port, ...lookUp(name, port) };
}

/* To the workload */

/** Who is told by a filter where a connection to the workload was to go. */
export const inboundTaker = (listeners: readonly Listener[]): Listener | undefined =>
  listeners.find(
    (one) =>
      isInbound(one) &&
      bindsToPort(one) &&
      listenAddressesOf(one).some(
        (at) => addressOf(at.address).bits === 0n && listenerFiltersAt(one, at.port).has("original-destination"),
      ),
  );

export function capturedTo(by: Listener, { destination }: Question, workload: Workload | undefined): Captured {
  const dialled = workloadAddress(destination, workload);
  const { address = listenAddressesOf(by)[0]?.address ?? "0.0.0.0", port } = dialled;
  return {
    listener: by,
    how: "as all connections to the workload are brought to it",
    destination: { address, port },
    capture: { direction: "inbound", by, dialled },
  };
}

function workloadAddress(
  { address, port, name }: Question["destination"],
  workload: Workload | undefined,
): DialledAddress {
  if (address !== undefined) return { address, port, found: "the address that was asked for" };
  const known = name === undefined ? undefined : workload?.portFor(name, port);
  const [own] = workload?.addresses ?? [];
  return {
    ...(own !== undefined && { address: own }),
    port: known?.port ?? port,
    found:
      own === undefined ? "the address of the workload is not known" : (known?.found ?? "the address of the workload"),
  };
}

function chosen(choice: ListenerChoice, dialled: SocketAddress, capture: Capture): Captured {
  const { by: listener } = capture;
  if (choice.kind === "nobody")
    return { listener, how: "as connections are brought to it", destination: dialled, capture };
  return { listener: choice.listener, how: howText(choice), destination: choice.destination, capture };
}

function howText(choice: Exclude<ListenerChoice, { readonly kind: "nobody" }>): string {
  if (choice.kind === "kept") return "as nobody else listens at the address";
  const by = choice.by === "address" ? "as it listens at the address" : "as it listens at all addresses";
  return choice.kind === "handed-over" ? handedOver(choice.from.listener, by) : by;
}

const handedOver = ({ name }: Listener, why: string): string => `handed over by ${quoted(name)}, ${why}`;
