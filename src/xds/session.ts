import { assertNever } from "../base/brand.ts";
import type { Clock } from "../base/clock.ts";
import { MeshError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { memoize } from "../base/memo.ts";
import type { RequestNode } from "../envoy/discovery-request.ts";
import type { ResponseContent } from "../envoy/discovery-response.ts";
import type { ResourceSet } from "../envoy/resource-set.ts";
import { resourceType, resourceTypeOf, type TypeName } from "../envoy/resource-types.ts";
import { type ProxyNode, parseProxyNode } from "../model/proxy.ts";
import { clientFaultOf } from "./client-fault.ts";
import { traitsOf } from "./client-traits.ts";
import { stepDelta } from "./delta.ts";
import type { CommonRequest } from "./dialect.ts";
import { createLag, type Lag } from "./lag.ts";
import type { XdsMetrics } from "./metrics.ts";
import type { NodeStreams } from "./node-streams.ts";
import type { XdsOptions } from "./options.ts";
import type { PastStreams } from "./past-streams.ts";
import type { DeliveryRecorder, ResourceFeed, SentResource } from "./ports.ts";
import type { Offered } from "./push-plan.ts";
import type { Decoded, RequestDecoders } from "./request-decoders.ts";
import type { EncodedResponse, ResponseCache } from "./response-cache.ts";
import { createSentTimes, type SentTimes } from "./sent-times.ts";
import { stepSotw } from "./sotw.ts";
import {
  clientEvent,
  pastEvent,
  readyEvent,
  requestEvent,
  resourcesEvent,
  roomEvent,
  sentEvent,
  timerEvent,
  writtenEvent,
} from "./stream-events.ts";
import type { StreamKind } from "./stream-kind.ts";
import {
  type EndStatus,
  newStream,
  type StreamEffect,
  type StreamEvent,
  type StreamState,
  type Timer,
} from "./stream-state.ts";

/** A connected stream as the session sees it; what carries it is none of its business. */
export interface StreamTransport {
  readonly peer: string;
  /** Writes one whole response behind its prefix. `onLeft` is called once its bytes have left for the peer; never, if it takes none. */
  readonly write: (framed: Buffer, onLeft: () => void) => void;
  readonly end: (status: SessionStatus, reason: string) => void;
  /** Bytes that came from the peer so far, pings included: it lives while this grows. */
  readonly heard: () => number;
}

/** How a session may end by our doing, whether its machine says so or what is around it. */
export type SessionStatus = EndStatus | "DEADLINE_EXCEEDED";

export interface Session {
  /** The bytes of one request. */
  readonly receive: (bytes: Uint8Array) => void;
  /** Ends the stream in peace: with OK, or UNAVAILABLE when the proxy has had no answer yet, so that it backs off. */
  readonly end: (reason: string) => void;
  /** Ends a stream that is not to be served. */
  readonly refuse: (status: SessionStatus, reason: string) => void;
  /** Whether the connection has room for more bytes; it has unless told otherwise. */
  readonly room: (room: boolean) => void;
  /** The stream is gone; releases everything. May be called more than once. */
  readonly close: () => void;
}

export interface SessionPorts {
  readonly feed: ResourceFeed;
  readonly recorder: DeliveryRecorder;
  readonly decoders: RequestDecoders;
  readonly cache: ResponseCache;
  readonly metrics: XdsMetrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly nodes: NodeStreams;
  readonly past: PastStreams;
  readonly options: Pick<
    XdsOptions,
    "ackTimeoutMs" | "aloneLagMs" | "removalGraceMs" | "worldTimeoutMs" | "maxStreamsPerNode"
  >;
}

interface Machine<R extends CommonRequest> {
  readonly decode: (bytes: Uint8Array) => Decoded<R>;
  readonly step: (state: StreamState, event: StreamEvent<R>) => readonly [StreamState, readonly StreamEffect[]];
}

/** `stream` names it in the records, and is unique in this process. */
export function createSession(
  kind: StreamKind,
  stream: string,
  transport: StreamTransport,
  ports: SessionPorts,
): Session {
  return kind.variant === "sotw"
    ? new StreamSession(kind, { decode: ports.decoders.sotw, step: stepSotw }, stream, transport, ports)
    : new StreamSession(kind, { decode: ports.decoders.delta, step: stepDelta }, stream, transport, ports);
}

/** One stream: it owns the state, gives events to the machine one at a time, and runs the effects in their order. */
class StreamSession<R extends CommonRequest> implements Session {
  readonly #kind: StreamKind;
  readonly #machine: Machine<R>;
  readonly #stream: string;
  readonly #transport: StreamTransport;
  readonly #ports: SessionPorts;
  readonly #timers = new Map<Timer, () => void>();
  readonly #last = new Map<TypeName, EncodedResponse>();
  readonly #sentTimes: SentTimes;
  readonly #events: StreamEvent<R>[] = [];
  /** Gives back what the stream took, the latest first. */
  readonly #releases: (() => void)[] = [];
  #running = false;
  #state: StreamState;
  /** As it was when the proxy last spoke: what was sent since then may have reached nobody. */
  #lastKnown: Offered | undefined;
  #node: ProxyNode | undefined;
  #closed = false;

  constructor(kind: StreamKind, machine: Machine<R>, stream: string, transport: StreamTransport, ports: SessionPorts) {
    this.#kind = kind;
    this.#state = newStream(kind.only);
    this.#machine = machine;
    this.#stream = stream;
    this.#transport = transport;
    this.#ports = ports;
    this.#sentTimes = createSentTimes(ports.clock);
    ports.metrics.opened(kind.variant);
  }

  receive(bytes: Uint8Array): void {
    this.#guarded(() => {
      const { request, node } = this.#machine.decode(bytes);
      const event = requestEvent(this.#ofThisMethod(request));
      this.#identify(node);
      this.#dispatch(event);
      this.#lastKnown = this.#state.plan?.offered;
    });
  }

  end(reason: string): void {
    this.refuse(this.#last.size > 0 ? "OK" : "UNAVAILABLE", reason);
  }

  refuse(status: SessionStatus, reason: string): void {
    if (this.#closed) return;
    this.#ports.metrics.ended(status);
    this.#ports.log.info({ ...this.#who(), status, reason }, "stream ended by the server");
    this.close();
    this.#transport.end(status, reason);
  }

  room(room: boolean): void {
    this.#dispatch(roomEvent(room));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ports.metrics.closed(this.#kind.variant);
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    for (const release of this.#releases.splice(0).reverse()) release();
  }

  #who(): object {
    return { stream: this.#stream, proxy: this.#node?.id, peer: this.#transport.peer };
  }

  /** Whatever goes wrong in one stream ends that stream only. */
  #guarded(task: () => void): void {
    if (this.#closed) return;
    try {
      task();
    } catch (cause) {
      const fault = clientFaultOf(cause);
      if (fault !== undefined) {
        this.refuse("INVALID_ARGUMENT", fault);
        return;
      }
      this.#ports.log.error({ ...this.#who(), err: cause }, "stream failed");
      this.refuse("INTERNAL", "the control plane failed to serve this stream; its log says why");
    }
  }

  /** On the method of a single type, no type means that type. */
  #ofThisMethod(request: R): R {
    const { only } = this.#kind;
    if (only === undefined || resourceTypeOf(request.typeUrl)?.short === only) return request;
    const { url: typeUrl } = resourceType(only);
    if (request.typeUrl === "") return withType(request, typeUrl) as R;
    throw new MeshError("input/invalid", `this method serves ${typeUrl} and not ${request.typeUrl}`, {
      hint: "ADS serves all types.",
    });
  }

  /** The first request says who is there; a later one may repeat it, and is not believed when it differs. */
  #identify(client: RequestNode | undefined): void {
    if (this.#node !== undefined) {
      if (client !== undefined && client.id !== this.#node.id) this.#ports.metrics.nodeChanged();
      return;
    }
    if (client === undefined) throw new MeshError("node/invalid", "the first request of a stream must carry the node");
    const node = parseProxyNode(client);
    if (!this.#ports.nodes.enter(node.id)) {
      this.#ports.metrics.turnedAway("node-streams");
      const { maxStreamsPerNode } = this.#ports.options;
      this.refuse("RESOURCE_EXHAUSTED", `${node.id} has ${maxStreamsPerNode} streams already`);
      return;
    }
    this.#releases.push(() => this.#ports.nodes.leave(node.id));
    this.#node = node;
    this.#begin(node, client);
  }

  #begin(node: ProxyNode, client: RequestNode): void {
    const { feed, recorder, log, metrics, past } = this.#ports;
    const lag = this.#lag();
    const watch = feed.watch(node, (set) => {
      this.#dispatch(resourcesEvent(set));
      lag?.put(set);
    });
    metrics.watched();
    this.#releases.push(() => {
      watch.close();
      lag?.close();
      metrics.unwatched();
    });
    const before = past.of(node.id, this.#kind);
    this.#releases.push(past.stand(node.id, this.#kind, () => this.#lastKnown));
    const { variant } = this.#kind;
    recorder.opened({ stream: this.#stream, node, variant, peer: this.#transport.peer });
    log.info({ ...this.#who(), ...this.#kind, client: node.client }, "proxy connected");
    this.#releases.push(() => {
      recorder.closed(this.#stream);
      log.info(this.#who(), "proxy disconnected");
    });
    this.#dispatch(clientEvent(traitsOf(client)));
    if (before !== undefined) this.#dispatch(pastEvent(before));
    const resources = watch.current();
    if (resources !== undefined) this.#dispatch(resourcesEvent(resources));
  }

  /** An event that comes while another is at work waits for its turn. */
  #dispatch(event: StreamEvent<R>): void {
    if (this.#closed) return;
    this.#events.push(event);
    if (this.#running) return;
    this.#running = true;
    this.#guarded(() => {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#advance(next);
    });
    this.#running = false;
  }

  #advance(event: StreamEvent<R>): void {
    const [state, effects] = this.#machine.step(this.#state, event);
    this.#state = state;
    for (const effect of effects) if (!this.#closed) this.#run(effect);
  }

  #run(effect: StreamEffect): void {
    const { recorder, metrics, log } = this.#ports;
    const stream = this.#stream;
    switch (effect.do) {
      case "send":
        this.#send(effect);
        break;
      case "accepted":
        metrics.accepted(effect.type, this.#sentTimes.since(effect.nonce));
        recorder.accepted(stream, effect.type, effect.nonce);
        break;
      case "refused":
        metrics.refused(effect.type);
        log.warn({ ...this.#who(), type: effect.type, reason: effect.reason }, "proxy refused a response");
        recorder.refused(stream, effect.type, effect.nonce, effect.reason);
        break;
      case "resumed":
        recorder.resumed(stream, effect.type, effect.resources);
        break;
      case "dropped":
        recorder.dropped(stream, effect.type, effect.names);
        break;
      case "subscribed":
        recorder.asked(stream, effect.type, effect.subscription.names, effect.subscription.wildcard);
        break;
      case "oversized": {
        const { type, names, bytes } = effect;
        metrics.oversized(type);
        log.error({ ...this.#who(), type, names, bytes }, "a response would be larger than its client takes");
        break;
      }
      case "unknown-type":
        log.info({ ...this.#who(), typeUrl: effect.typeUrl }, "proxy asks for a type that is not served");
        break;
      case "start-timer":
        this.#startTimer(effect.timer, effect.delayMs);
        break;
      case "stop-timer":
        this.#timers.get(effect.timer)?.();
        this.#timers.delete(effect.timer);
        break;
      case "end":
        this.refuse(effect.status, effect.reason);
        break;
      default:
        assertNever(effect);
    }
  }

  /** The nonce is known to the machine before the bytes are written, so no answer can overtake it. */
  #send({ type, content }: Extract<StreamEffect, { readonly do: "send" }>): void {
    const { cache, recorder, metrics } = this.#ports;
    const response = cache.encode(this.#kind.variant, type, content, this.#last.get(type.short));
    const { nonce, bytes, framed } = response;
    this.#last.set(type.short, response);
    this.#sentTimes.sent(nonce);
    this.#advance(sentEvent(response, type.short));
    recorder.sent(this.#stream, type.short, nonce, announced(content));
    metrics.sent(type.short, bytes.length, content.resources);
    this.#transport.write(framed, () => this.#dispatch(writtenEvent(response, type.short)));
  }

  /** What comes after others in the order is late where nobody sees whether they have arrived. */
  #lag(): Lag<ResourceSet> | undefined {
    const { only } = this.#kind;
    if (only === undefined || !resourceType(only).gated) return undefined;
    const { clock, options } = this.#ports;
    return createLag(clock, options.aloneLagMs, (resources) => this.#dispatch(readyEvent(resources)));
  }

  #startTimer(timer: Timer, delayMs = delayOf(timer, this.#kind, this.#ports.options)): void {
    this.#after(timer, delayMs, () => {
      if (waitsForPeer(timer)) this.#awaitLife(timer, this.#transport.heard());
      else this.#fire(timer);
    });
  }

  /** A wait for the peer is over only when the peer lives: after its time, pings bring the sign. */
  #awaitLife(timer: Timer, before: number): void {
    if (this.#transport.heard() > before) this.#fire(timer);
    else this.#after(timer, signOfLifeMs, () => this.#awaitLife(timer, before));
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#dispatch(timerEvent(timer));
  }

  #after(timer: Timer, delayMs: number, task: () => void): void {
    this.#timers.set(timer, this.#ports.clock.after(delayMs, task));
  }
}

/** One request for all streams that get it, as its event has to be. */
const withType = memoize((request: CommonRequest, typeUrl: string): CommonRequest => ({ ...request, typeUrl }));

/** What a response says of each name; one list for all streams that get it. */
const announced = memoize(
  ({ resources, removed, missing, unavailable, bodiless }: ResponseContent): readonly SentResource[] => [
    ...resources.map(({ name, version }) => ({ name, version })),
    ...[...removed, ...bodiless].map((name) => ({ name })),
    ...[...missing, ...unavailable].map((name) => ({ name, error: true as const })),
  ],
);

/** Whoever is stopped must not find a heap of old states when it goes on. */
const waitsForPeer = (timer: Timer): boolean => timer === "gate" || timer.startsWith("ack/");

/** How often is looked after what is overdue. */
const signOfLifeMs = 500;

function delayOf(timer: Timer, { only }: StreamKind, options: SessionPorts["options"]): number {
  if (timer === "world") return options.worldTimeoutMs;
  if (!timer.startsWith("grace/")) return options.ackTimeoutMs;
  // What is gone was used on streams that hear of it later.
  const isAhead = only !== undefined && !resourceType(only).gated;
  return isAhead ? options.aloneLagMs + options.removalGraceMs : options.removalGraceMs;
}
