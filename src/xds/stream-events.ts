import { memoize } from "../base/memo.ts";
import type { ResourceSet } from "../envoy/resource-set.ts";
import type { TypeName } from "../envoy/resource-types.ts";
import type { ClientTraits } from "./client-traits.ts";
import type { CommonRequest } from "./dialect.ts";
import type { Offered } from "./push-plan.ts";
import type { EncodedResponse } from "./response-cache.ts";
import type { StreamEvent, Timer } from "./stream-state.ts";

/* One object for one event, for whatever stream: the machines remember their steps by it. */

export const requestEvent = memoize(<R extends CommonRequest>(request: R) => ({ on: "request", request }) as const) as <
  R extends CommonRequest,
>(
  request: R,
) => StreamEvent<R>;

export const clientEvent = memoize((traits: ClientTraits) => ({ on: "client", traits }) as const);

export const pastEvent = memoize((past: Offered) => ({ on: "past", past }) as const);

export const resourcesEvent = memoize((resources: ResourceSet) => ({ on: "resources", resources }) as const);

export const readyEvent = memoize((resources: ResourceSet) => ({ on: "ready", resources }) as const);

export const sentEvent = memoize(
  ({ nonce }: EncodedResponse, type: TypeName) => ({ on: "sent", type, nonce }) as const,
);

export const writtenEvent = memoize(
  ({ nonce }: EncodedResponse, type: TypeName) => ({ on: "written", type, nonce }) as const,
);

type TimerEvent = Extract<StreamEvent<CommonRequest>, { readonly on: "timer" }>;

const timerEvents = new Map<Timer, TimerEvent>();

/** There are few timers: as many as types, a few times. */
export function timerEvent(timer: Timer): TimerEvent {
  const event = timerEvents.get(timer) ?? { on: "timer", timer };
  timerEvents.set(timer, event);
  return event;
}

const room = { on: "room", room: true } as const;
const noRoom = { on: "room", room: false } as const;

export const roomEvent = (hasRoom: boolean): typeof room | typeof noRoom => (hasRoom ? room : noRoom);
