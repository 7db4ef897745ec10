import { assertNever } from "../base/brand.ts";
import type { Clock } from "../base/clock.ts";
import { type ErrorCode, MeshError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { decodeDeltaRequest, decodeSotwRequest, type RequestNode } from "../envoy/discovery-request.ts";
import type { TypeName } from "../envoy/resource-types.ts";
import { type ProxyNode, parseProxyNode } from "../model/proxy.ts";
import { stepDelta } from "./delta.ts";
import type { CommonRequest } from "./dialect.ts";
import type { XdsMetrics } from "./metrics.ts";
import type { XdsOptions } from "./options.ts";
import type { DeliveryRecorder, ResourceFeed, ResourceWatch } from "./ports.ts";
import type { EncodedResponse, ResponseCache, Variant } from "./response-cache.ts";
import { stepSotw } from "./sotw.ts";
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
  /** Writes one whole response. `onLeft` is called once its bytes have left for the peer; never, if it takes none. */
  readonly write: (bytes: Buffer, onLeft: () => void) => void;
  readonly end: (status: EndStatus, reason: string) => void;
}

export interface Session {
  /** The bytes of one request. */
  readonly receive: (bytes: Uint8Array) => void;
  /** Ends the stream in peace: with OK, or UNAVAILABLE when the proxy has had no answer yet, so that it backs off. */
  readonly end: (reason: string) => void;
  /** The stream is gone; releases everything. May be called more than once. */
  readonly close: () => void;
}

export interface SessionPorts {
  readonly feed: ResourceFeed;
  readonly recorder: DeliveryRecorder;
  readonly cache: ResponseCache;
  readonly metrics: XdsMetrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly options: Pick<XdsOptions, "ackTimeoutMs" | "removalGraceMs" | "worldTimeoutMs">;
}

type Request = CommonRequest & { readonly node?: RequestNode };

interface Machine<R extends Request> {
  readonly decode: (bytes: Uint8Array) => R;
  readonly step: (state: StreamState, event: StreamEvent<R>) => readonly [StreamState, readonly StreamEffect[]];
}

export function createSession(
  variant: Variant,
  stream: string,
  transport: StreamTransport,
  ports: SessionPorts,
): Session {
  return variant === "sotw"
    ? new StreamSession(variant, { decode: decodeSotwRequest, step: stepSotw }, stream, transport, ports)
    : new StreamSession(variant, { decode: decodeDeltaRequest, step: stepDelta }, stream, transport, ports);
}

/** One stream: it owns the state, gives events to the machine one at a time, and runs the effects in their order. */
class StreamSession<R extends Request> implements Session {
  readonly #variant: Variant;
  readonly #machine: Machine<R>;
  readonly #stream: string;
  readonly #transport: StreamTransport;
  readonly #ports: SessionPorts;
  readonly #timers = new Map<Timer, () => void>();
  readonly #last = new Map<TypeName, EncodedResponse>();
  readonly #events: StreamEvent<R>[] = [];
  #running = false;
  #state = newStream();
  #proxy: { readonly node: ProxyNode; readonly watch: ResourceWatch } | undefined;
  #closed = false;

  constructor(variant: Variant, machine: Machine<R>, stream: string, transport: StreamTransport, ports: SessionPorts) {
    this.#variant = variant;
    this.#machine = machine;
    this.#stream = stream;
    this.#transport = transport;
    this.#ports = ports;
    ports.metrics.opened(variant);
  }

  receive(bytes: Uint8Array): void {
    this.#guarded(() => {
      const request = this.#machine.decode(bytes);
      this.#identify(request.node);
      this.#dispatch({ on: "request", request, atMs: this.#ports.clock.now() });
    });
  }

  end(reason: string): void {
    this.#end(this.#last.size > 0 ? "OK" : "UNAVAILABLE", reason);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ports.metrics.closed(this.#variant);
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    if (this.#proxy === undefined) return;
    this.#proxy.watch.close();
    this.#ports.recorder.closed(this.#stream);
    this.#ports.log.info(this.#who(), "proxy disconnected");
  }

  #end(status: EndStatus, reason: string): void {
    if (this.#closed) return;
    this.#ports.metrics.ended(status);
    this.#ports.log.info({ ...this.#who(), status, reason }, "stream ended by the server");
    this.close();
    this.#transport.end(status, reason);
  }

  #who(): object {
    return { stream: this.#stream, proxy: this.#proxy?.node.id, peer: this.#transport.peer };
  }

  /** Whatever goes wrong in one stream ends that stream only. */
  #guarded(task: () => void): void {
    if (this.#closed) return;
    try {
      task();
    } catch (cause) {
      if (cause instanceof MeshError && clientFaults.has(cause.code)) {
        this.#end("INVALID_ARGUMENT", cause.hint === undefined ? cause.message : `${cause.message}. ${cause.hint}`);
        return;
      }
      this.#ports.log.error({ ...this.#who(), err: cause }, "stream failed");
      this.#end("INTERNAL", "the control plane failed to serve this stream; its log says why");
    }
  }

  /** The first request says who is there; a later one may repeat it, and is not believed when it differs. */
  #identify(node: RequestNode | undefined): void {
    if (this.#proxy !== undefined) {
      if (node !== undefined && node.id !== this.#proxy.node.id) this.#ports.metrics.nodeChanged();
      return;
    }
    if (node === undefined) throw new MeshError("node/invalid", "the first request of a stream must carry the node");
    const { feed, recorder, log } = this.#ports;
    const parsed = parseProxyNode(node);
    const watch = feed.watch(parsed, (resources) => this.#dispatch({ on: "resources", resources }));
    this.#proxy = { node: parsed, watch };
    recorder.opened({ stream: this.#stream, node: parsed, variant: this.#variant, peer: this.#transport.peer });
    log.info({ ...this.#who(), variant: this.#variant, client: parsed.client }, "proxy connected");
    const resources = watch.current();
    if (resources !== undefined) this.#dispatch({ on: "resources", resources });
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
        metrics.accepted(effect.type, effect.tookMs);
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
      case "oversized":
        break;
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
        this.#end(effect.status, effect.reason);
        break;
      default:
        assertNever(effect);
    }
  }

  /** The nonce is known to the machine before the bytes are written, so no answer can overtake it. */
  #send({ type, content }: Extract<StreamEffect, { readonly do: "send" }>): void {
    const { cache, clock, recorder, metrics } = this.#ports;
    const { resources, removed } = content;
    const response = cache.encode(this.#variant, type, content, this.#last.get(type.short));
    const { nonce, bytes } = response;
    this.#last.set(type.short, response);
    this.#advance({ on: "sent", type: type.short, nonce, atMs: clock.now() });
    const present = resources.map(({ name, version }) => ({ name, version }));
    recorder.sent(this.#stream, type.short, nonce, [...present, ...removed.map((name) => ({ name }))]);
    metrics.sent(type.short, bytes.length, resources);
    this.#transport.write(bytes, () => this.#dispatch({ on: "written", type: type.short, nonce }));
  }

  #startTimer(timer: Timer, delayMs: number | undefined): void {
    const { clock, options } = this.#ports;
    const cancel = clock.after(delayMs ?? delayOf(timer, options), () => {
      this.#timers.delete(timer);
      this.#dispatch({ on: "timer", timer });
    });
    this.#timers.set(timer, cancel);
  }
}

/** Faults of the request, not of ours. */
const clientFaults: ReadonlySet<ErrorCode> = new Set(["input/invalid", "node/invalid"]);

function delayOf(timer: Timer, options: SessionPorts["options"]): number {
  if (timer === "world") return options.worldTimeoutMs;
  return timer.startsWith("grace/") ? options.removalGraceMs : options.ackTimeoutMs;
}
