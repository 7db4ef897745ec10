import { expect } from "vitest";
import type { DeltaRequest, SotwRequest } from "../../src/envoy/discovery-request.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";
import { type ClientTraits, plainClient } from "../../src/xds/client-traits.ts";
import { stepDelta } from "../../src/xds/delta.ts";
import type { CommonRequest } from "../../src/xds/dialect.ts";
import type { Offered } from "../../src/xds/push-plan.ts";
import { stepSotw } from "../../src/xds/sotw.ts";
import {
  newStream,
  type StreamEffect,
  type StreamEvent,
  type StreamState,
  type Timer,
} from "../../src/xds/stream-state.ts";
import type { Subscription } from "../../src/xds/subscription.ts";

type Send = Extract<StreamEffect, { do: "send" }>;
type Answer = Partial<Pick<CommonRequest, "nonce" | "error">>;

/** A sent response with the nonce it got. */
export type Sent = Send & { readonly nonce: string };

export interface DriverOptions {
  /** The one type of a single-type service. */
  readonly only?: TypeName;
  readonly traits?: Partial<ClientTraits>;
  readonly past?: Offered;
}

/** Runs a machine without a wire: gives nonces, remembers what was sent and which timers run. */
export class Driver<R extends CommonRequest> {
  readonly #step: (state: StreamState, event: StreamEvent<R>) => readonly [StreamState, readonly StreamEffect[]];
  #state: StreamState;
  #sent: Sent[] = [];
  #others: StreamEffect[] = [];
  #depth = 0;
  readonly #unwritten: { readonly type: TypeName; readonly nonce: string }[] = [];
  readonly #nonces = new Map<TypeName, string>();
  readonly timers = new Set<Timer>();
  /** Of timers that bring their time. */
  readonly delays = new Map<Timer, number>();
  /** What the proxy asks for, as the machine has told. */
  readonly subscriptions = new Map<TypeName, Subscription>();
  /** Every timer that was ever started. */
  readonly started: Timer[] = [];
  /** The transport does not take bytes while this is false. */
  reading = true;

  constructor(
    step: (state: StreamState, event: StreamEvent<R>) => readonly [StreamState, readonly StreamEffect[]],
    { only, traits = {}, past }: DriverOptions = {},
  ) {
    this.#step = step;
    this.#state = newStream(only);
    this.event({ on: "client", traits: { ...plainClient, ...traits } });
    if (past !== undefined) this.event({ on: "past", past });
  }

  get state(): StreamState {
    return this.#state;
  }

  event(event: StreamEvent<R>): void {
    const [state, effects] = this.#step(this.#state, event);
    this.#state = state;
    this.#depth++;
    for (const effect of effects) this.#run(effect);
    this.#depth--;
    if (this.#depth > 0 || !this.reading) return;
    for (const written of this.#unwritten.splice(0)) this.event({ on: "written", ...written });
  }

  #run(effect: StreamEffect): void {
    if (effect.do === "start-timer") {
      this.timers.add(effect.timer);
      if (effect.delayMs !== undefined) this.delays.set(effect.timer, effect.delayMs);
      this.started.push(effect.timer);
    } else if (effect.do === "stop-timer") this.timers.delete(effect.timer);
    else if (effect.do === "send") this.#send(effect);
    else if (effect.do === "subscribed") this.subscriptions.set(effect.type, effect.subscription);
    else this.#others.push(effect);
  }

  #send(effect: Send): void {
    const type = effect.type.short;
    const nonce = `n${++nonceCount}`;
    this.#nonces.set(type, nonce);
    this.#sent.push({ ...effect, nonce });
    this.#unwritten.push({ type, nonce });
    this.event({ on: "sent", type, nonce });
  }

  protected request(request: R): void {
    this.event({ on: "request", request });
  }

  set(resources: ResourceSet): void {
    this.event({ on: "resources", resources });
  }

  fire(timer: Timer): void {
    if (!this.timers.delete(timer)) throw new Error(`${timer} does not run; there are: ${[...this.timers].join(", ")}`);
    this.event({ on: "timer", timer });
  }

  nonce(type: TypeName): string {
    return this.#nonces.get(type) ?? "";
  }

  /** What was sent since the last call. */
  responses(): readonly Sent[] {
    const taken = this.#sent;
    this.#sent = [];
    return taken;
  }

  /** The same as text: `CDS a=1 b=2 -removed !missing ?bodiless ~heartbeat`. */
  sent(): readonly string[] {
    return this.responses().map(({ type, content: { resources, removed, missing, bodiless, heartbeats } }) =>
      [
        type.short,
        ...resources.map((r) => `${r.name}=${r.version}`),
        ...removed.map((name) => `-${name}`),
        ...missing.map((name) => `!${name}`),
        ...bodiless.map((name) => `?${name}`),
        ...heartbeats.map(({ name }) => `~${name}`),
      ].join(" "),
    );
  }

  /** The effects since the last call that are neither responses, nor timers, nor subscriptions. */
  effects(): readonly StreamEffect[] {
    const taken = this.#others;
    this.#others = [];
    return taken;
  }
}

let nonceCount = 0;

export class SotwDriver extends Driver<SotwRequest> {
  readonly #names = new Map<TypeName, readonly string[]>();

  constructor(options?: DriverOptions) {
    super(stepSotw, options);
  }

  /** With a `version` on the first request, the proxy is one that has been at work. */
  ask(type: TypeName, names: readonly string[], answer: Answer & { readonly version?: string } = {}): void {
    this.#names.set(type, names);
    this.request({ typeUrl: resourceType(type).url, names, version: "", nonce: "", ...answer });
  }

  askUrl(typeUrl: string): void {
    this.request({ typeUrl, names: [], version: "", nonce: "" });
  }

  ack(type: TypeName, names = this.#names.get(type) ?? []): void {
    this.ask(type, names, { nonce: this.nonce(type) });
  }

  nack(type: TypeName, error = "bad", names = this.#names.get(type) ?? []): void {
    this.ask(type, names, { nonce: this.nonce(type), error });
  }
}

export class DeltaDriver extends Driver<DeltaRequest> {
  constructor(options?: DriverOptions) {
    super(stepDelta, options);
  }

  /** `change` is a list of `name` to subscribe and `-name` to unsubscribe. */
  ask(
    type: TypeName,
    change: readonly string[],
    known: Readonly<Record<string, string>> = {},
    answer: Answer = {},
  ): void {
    this.request({
      typeUrl: resourceType(type).url,
      subscribe: change.filter((name) => !name.startsWith("-")),
      unsubscribe: change.filter((name) => name.startsWith("-")).map((name) => name.slice(1)),
      knownVersions: new Map(Object.entries(known)),
      nonce: "",
      ...answer,
    });
  }

  ack(type: TypeName, change: readonly string[] = []): void {
    this.ask(type, change, {}, { nonce: this.nonce(type) });
  }

  nack(type: TypeName, error = "bad", change: readonly string[] = []): void {
    this.ask(type, change, {}, { nonce: this.nonce(type), error });
  }
}

/** A stream with a first set. */
export const sotwStreamWith = (resources: ResourceSet): SotwDriver => given(new SotwDriver(), resources);
export const deltaStreamWith = (resources: ResourceSet): DeltaDriver => given(new DeltaDriver(), resources);

function given<Stream extends SotwDriver | DeltaDriver>(stream: Stream, resources: ResourceSet): Stream {
  stream.set(resources);
  return stream;
}

/** Asks, takes the answer and accepts it. */
export function subscribed(stream: SotwDriver | DeltaDriver, type: TypeName, names: readonly string[]): void {
  stream.ask(type, names);
  if (stream.sent().length > 0) stream.ack(type);
  expect(stream.sent()).toEqual([]);
  stream.effects();
}
