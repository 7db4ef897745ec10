import { MeshError } from "../../src/base/errors.ts";
import {
  type DeltaRequest,
  decodeDeltaRequest,
  decodeSotwRequest,
  maxErrorLength,
  maxNameLength,
  maxNamesPerRequest,
  type RequestNode,
  type SotwRequest,
} from "../../src/envoy/discovery-request.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import { parseProxyNode } from "../../src/model/proxy.ts";
import { type ClientTraits, plainClient, traitsOf } from "../../src/xds/client-traits.ts";
import { stepDelta } from "../../src/xds/delta.ts";
import type { CommonRequest } from "../../src/xds/dialect.ts";
import type { Offered } from "../../src/xds/push-plan.ts";
import { createResponseCache, type EncodedResponse } from "../../src/xds/response-cache.ts";
import { stepSotw } from "../../src/xds/sotw.ts";
import {
  newStream,
  type StreamEffect,
  type StreamEvent,
  type StreamState,
  type Timer,
  type TypeState,
} from "../../src/xds/stream-state.ts";
import { covers } from "../../src/xds/subscription.ts";
import { checkedResponse } from "../support/checked-response.ts";

/** Types of one stream that we do not speak and that are told, as docs/limits.md says. */
const maxUnknownTypes = 16;
/** Responses of one type whose answers are told apart. */
const maxUnanswered = 8;

type Send = Extract<StreamEffect, { readonly do: "send" }>;
type Request = CommonRequest & { readonly node?: RequestNode };

export interface FuzzStreamOptions {
  readonly variant: "sotw" | "delta";
  readonly only?: TypeName | undefined;
  /** What an earlier stream left; delta clients tell by themselves. */
  readonly past?: Offered | undefined;
}

/**
 * One stream without a wire, held after each step against what must be true whatever the client does. Throws what is wrong.
 */
export class FuzzStream {
  readonly #options: FuzzStreamOptions;
  readonly #feed: (bytes: Uint8Array) => void;
  readonly #advance: (event: Exclude<StreamEvent<never>, { readonly on: "request" }>) => void;
  #state: StreamState;
  #traits: ClientTraits = plainClient;
  #identified = false;
  #ended = false;
  #depth = 0;
  /** Sent and not answered, by nonce. */
  readonly #open = new Map<string, TypeName>();
  readonly #last = new Map<TypeName, EncodedResponse>();
  readonly #nonces: string[] = [];
  readonly #unwritten: { readonly type: TypeName; readonly nonce: string }[] = [];
  readonly #timers = new Set<Timer>();
  readonly #unknownTypes = new Set<string>();
  readonly #cache = createResponseCache({ identifier: "fuzz", firstSequence: 1, maxBytes: 1_000 });

  constructor(options: FuzzStreamOptions) {
    this.#options = options;
    this.#state = newStream(options.only);
    const machine = <R extends Request>(
      decode: (bytes: Uint8Array) => R,
      step: (state: StreamState, event: StreamEvent<R>) => readonly [StreamState, readonly StreamEffect[]],
    ) => {
      const advance = (event: StreamEvent<R>): void => {
        const [state, effects] = step(this.#state, event);
        this.#state = state;
        this.#depth++;
        for (const effect of effects) this.#run(effect);
        this.#depth--;
        this.#check();
      };
      return {
        feed: (bytes: Uint8Array): void => {
          const request = decode(bytes);
          this.#identify(request.node);
          advance({ on: "request", request });
        },
        advance,
      };
    };
    const { feed, advance } =
      options.variant === "sotw"
        ? machine<SotwRequest>(decodeSotwRequest, stepSotw)
        : machine<DeltaRequest>(decodeDeltaRequest, stepDelta);
    this.#feed = feed;
    this.#advance = advance;
  }

  get state(): StreamState {
    return this.#state;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Latest first. */
  get nonces(): readonly string[] {
    return this.#nonces;
  }

  get timers(): readonly Timer[] {
    return [...this.#timers];
  }

  /** True when they were taken; false when they were refused as a client's fault. Throws for whatever else goes wrong. */
  receive(bytes: Uint8Array): boolean {
    try {
      this.#feed(bytes);
      return true;
    } catch (cause) {
      if (cause instanceof MeshError && (cause.code === "input/invalid" || cause.code === "node/invalid")) return false;
      throw cause;
    }
  }

  resources(resources: ResourceSet): void {
    this.#advance({ on: "resources", resources });
  }

  room(room: boolean): void {
    this.#advance({ on: "room", room });
  }

  /** The oldest bytes leave. */
  write(): void {
    const written = this.#unwritten.shift();
    if (written !== undefined) this.#advance({ on: "written", ...written });
  }

  fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#advance({ on: "timer", timer });
  }

  /** Only who says who it is gets past this, as in a session. */
  #identify(node: RequestNode | undefined): void {
    if (this.#identified) return;
    if (node !== undefined) {
      const { id, locality, client } = parseProxyNode(node);
      const kept = [id, locality.region, locality.zone, locality.subzone, client.name, client.version];
      for (const text of kept) expectAtMost(text.length, 1_024, "characters of a node's part");
      this.#traits = traitsOf(node);
    }
    this.#identified = true;
    this.#advance({ on: "client", traits: this.#traits });
    const { past, variant } = this.#options;
    if (past !== undefined && variant === "sotw") this.#advance({ on: "past", past });
  }

  #run(effect: StreamEffect): void {
    if (this.#ended) return;
    switch (effect.do) {
      case "send":
        this.#send(effect);
        break;
      case "accepted":
      case "refused":
        if (this.#open.get(effect.nonce) !== effect.type) throw new Error(`${effect.do} what was not sent`);
        this.#open.delete(effect.nonce);
        if (effect.do === "refused") expectAtMost(effect.reason.length, maxErrorLength, "characters of a refusal");
        break;
      case "start-timer":
        if (this.#timers.has(effect.timer)) throw new Error(`${effect.timer} runs already`);
        this.#timers.add(effect.timer);
        if (effect.delayMs !== undefined && !(effect.delayMs > 0)) throw new Error(`a delay of ${effect.delayMs}`);
        break;
      case "stop-timer":
        if (!this.#timers.delete(effect.timer)) throw new Error(`${effect.timer} does not run`);
        break;
      case "unknown-type":
        if (this.#unknownTypes.has(effect.typeUrl)) throw new Error(`${effect.typeUrl} is told twice`);
        this.#unknownTypes.add(effect.typeUrl);
        break;
      case "end":
        if (effect.reason === "") throw new Error("an end without a reason");
        this.#ended = true;
        break;
      case "dropped":
      case "subscribed":
      case "resumed":
      case "oversized":
        if (this.#state.types[effect.type].subscription === undefined)
          throw new Error(`${effect.type} is not asked for`);
    }
  }

  #send({ type, content }: Send): void {
    const { short } = type;
    const { subscription } = this.#state.types[short];
    if (subscription === undefined) throw new Error(`${short} was sent and not asked for`);
    const response = this.#cache.encode(this.#options.variant, type, content, this.#last.get(short));
    if (response.bytes.length > this.#traits.maxResponseBytes) throw new Error("larger than the client takes");
    const { names, removed } = checkedResponse(this.#options.variant, type, response);
    const contrary = content.missing.filter((name) => names.has(name));
    if (contrary.length > 0) throw new Error(`${short}: ${contrary.join(" ")} is there, and an error`);
    const unasked = [...names, ...removed, ...content.missing].filter((name) => !covers(subscription, name));
    if (unasked.length > 0) throw new Error(`${short}: ${unasked.join(" ")} was sent and not asked for`);
    const isUpdate = content.heartbeats.length === 0;
    if (isUpdate && (short === "LDS" || short === "CDS")) this.#expectWhole(this.#state.types[short], names);
    this.#last.set(short, response);
    this.#open.set(response.nonce, short);
    this.#nonces.unshift(response.nonce);
    this.#nonces.splice(20);
    this.#unwritten.push({ type: short, nonce: response.nonce });
    this.#advance({ on: "sent", type: short, nonce: response.nonce });
  }

  /** What is absent from it, such a client takes as removed. */
  #expectWhole({ type: sent, subscription }: TypeState, names: ReadonlySet<string>): void {
    const { plan } = this.#state;
    if (this.#options.variant !== "sotw" || plan === undefined || subscription === undefined) return;
    for (const { type, name, onDemand, bytes } of plan.offered[sent.short].values()) {
      if (covers(subscription, name, onDemand) && bytes.length > 0 && !names.has(name))
        throw new Error(`${type} ${name} was left out`);
    }
  }

  /** Between two steps of the machine the state is as small as it may be. */
  #check(): void {
    if (this.#depth > 0 || this.#ended) return;
    const { types, unknownTypes } = this.#state;
    expectAtMost(unknownTypes.size, maxUnknownTypes, "types that we do not speak");
    for (const name of unknownTypes) expectAtMost(name.length, maxNameLength, "characters of a type");
    for (const { short } of resourceTypes) this.#checkType(types[short]);
  }

  #checkType({ type, subscription, unanswered, refused, retries, sending }: TypeState): void {
    const { short } = type;
    expectAtMost(unanswered.length, maxUnanswered, `unanswered responses of ${short}`);
    if (subscription === undefined) {
      if (unanswered.length + refused.size + retries.groups.length > 0) throw new Error(`${short} is not asked for`);
      return;
    }
    expectAtMost(subscription.names.size, maxNamesPerRequest, `names of ${short}`);
    if (sending.length > 0) throw new Error(`${short}: a nonce was given, and it is not known`);
  }
}

function expectAtMost(found: number, most: number, what: string): void {
  if (found > most) throw new Error(`${found} ${what}; at most ${most}`);
}
