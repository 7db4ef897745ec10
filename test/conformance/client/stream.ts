import { setTimeout as delay } from "node:timers/promises";
import type { ClientDuplexStream, StatusObject } from "@grpc/grpc-js";
import { resourceType, type TypeName } from "../../../src/envoy/resource-types.ts";
import type { Variant } from "../variants.ts";
import { listenedMs } from "./listening.ts";
import { encodeRequest, type NodeFields, type RequestFields } from "./request.ts";
import { decodeResponse, describeResponse, type Response } from "./response.ts";

/** What looks at every message of a stream: the invariants. */
export interface StreamWatcher {
  readonly sent: (request: RequestFields) => void;
  readonly received: (response: Response) => void;
}

export interface StreamOptions {
  readonly variant: Variant;
  /** Goes with the first request, unless that gives another one, or `null` for none. */
  readonly node: NodeFields;
  /** Answers every response with an ACK at once. Default: nothing is answered by itself. */
  readonly autoAck?: boolean;
  readonly watcher?: StreamWatcher;
  /** What `expect` waits unless told otherwise. */
  readonly withinMs: number;
}

/** A request of one type; `type_url` is the type's unless it is given. `node: null` leaves the node out of a first request. */
export type Fields = Omit<RequestFields, "typeUrl" | "node"> & {
  readonly typeUrl?: string;
  readonly node?: NodeFields | null;
};

export interface Recorded {
  readonly direction: "sent" | "received";
  readonly text: string;
}

type Call = ClientDuplexStream<Buffer, Buffer>;

/**
 * A raw client's stream: nothing of xDS happens by itself. `send` has full control of every field; `ask`, `ack` and `nack` say
 * what a correct client would, in either form; `expect` and `quiet` look at what came, type by type and in order.
 */
export class XdsStream {
  readonly variant: Variant;
  /** Everything that came, in order. */
  readonly received: Response[] = [];
  /** Everything that passed, in order, for the text of a failure. */
  readonly log: Recorded[] = [];
  readonly #call: Call;
  readonly #options: StreamOptions;
  /** Not yet taken by `expect`. */
  readonly #pending: Response[] = [];
  readonly #asked = new Map<TypeName, ReadonlySet<string>>();
  #first = true;
  #leaving = false;
  #status: StatusObject | undefined;
  readonly #wake: (() => void)[] = [];

  constructor(call: Call, options: StreamOptions) {
    this.#call = call;
    this.#options = options;
    this.variant = options.variant;
    call.on("data", (bytes: Buffer) => this.#take(bytes));
    call.on("status", (status) => {
      this.#status = status;
      this.#notify();
    });
    call.on("error", () => {});
  }

  #take(bytes: Buffer): void {
    const response = decodeResponse(this.variant.wire, bytes, this.received.length + 1);
    this.received.push(response);
    this.#pending.push(response);
    this.log.push({ direction: "received", text: describeResponse(response) });
    this.#options.watcher?.received(response);
    if (this.#options.autoAck === true) this.ack(response);
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** Sends one request as it stands. */
  send(type: TypeName | undefined, fields: Fields = {}): void {
    const { node: given, typeUrl = type === undefined ? "" : resourceType(type).url, ...rest } = fields;
    const node = given === null ? undefined : (given ?? (this.#first ? this.#options.node : undefined));
    this.#first = false;
    const request: RequestFields = { ...rest, typeUrl, ...(node !== undefined && { node }) };
    if (type !== undefined) this.#remember(type, rest);
    this.log.push({ direction: "sent", text: describeRequest(type ?? typeUrl, rest) });
    this.#options.watcher?.sent(
      type !== undefined && typeUrl === "" ? { ...request, typeUrl: resourceType(type).url } : request,
    );
    this.#call.write(encodeRequest(this.variant.wire, request));
  }

  #remember(type: TypeName, { names = [], subscribe = [], unsubscribe = [] }: Fields): void {
    if (this.variant.wire === "sotw") {
      this.#asked.set(type, new Set(names));
      return;
    }
    const before = this.#asked.get(type) ?? new Set<string>();
    this.#asked.set(type, before.union(new Set(subscribe)).difference(new Set(unsubscribe)));
  }

  /**
   * Makes `names` the whole subscription of a type: as they are (state of the world), or as the difference to the names before
   * (delta). The first call may give none, which asks for everything where the type can.
   */
  ask(type: TypeName, names: readonly string[] = [], fields: Fields = {}): void {
    this.send(type, { ...this.#change(type, names), ...fields });
  }

  #change(type: TypeName, names: readonly string[]): Fields {
    if (this.variant.wire === "sotw") return { names };
    const before = this.#asked.get(type) ?? new Set<string>();
    const after = new Set(names);
    return { subscribe: [...after.difference(before)], unsubscribe: [...before.difference(after)] };
  }

  /** Accepts a response; the subscription stays unless `names` gives another one. */
  ack(response: Response, names?: readonly string[]): void {
    const type = known(response);
    this.ask(type, names ?? this.names(type), { version: response.version, nonce: response.nonce });
  }

  /** Refuses a response. `version` is the accepted one that a state-of-the-world client goes on with; default: none. */
  nack(
    response: Response,
    text: string,
    { names, version = "" }: { names?: readonly string[]; version?: string } = {},
  ): void {
    const type = known(response);
    this.ask(type, names ?? this.names(type), { version, nonce: response.nonce, error: text });
  }

  /** The names that this stream asked for last. */
  names(type: TypeName): readonly string[] {
    return [...(this.#asked.get(type) ?? [])];
  }

  /**
   * The next response of the type that satisfies the predicate; those of the type before it count as seen. Rejects when none
   * comes in time, or the stream ends.
   */
  async expect(
    type: TypeName,
    predicate: (response: Response) => boolean = () => true,
    withinMs = this.#options.withinMs,
  ): Promise<Response> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const index = this.#pending.findIndex((response) => response.type === type);
      const [response] = index < 0 ? [] : this.#pending.splice(index, 1);
      if (response !== undefined) {
        if (predicate(response)) return response;
        continue;
      }
      if (this.#status !== undefined)
        throw new Error(`the stream ended with ${describeStatus(this.#status)} before the ${type} response`);
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`no ${type} response as expected came within ${withinMs} ms${this.#history()}`);
      await this.#next(leftMs);
    }
  }

  /** The next response of the type, accepted. */
  async accept(type: TypeName, predicate?: (response: Response) => boolean): Promise<Response> {
    const response = await this.expect(type, predicate);
    this.ack(response);
    return response;
  }

  /** The next response of the type, if one comes within this time: where an answer may come, and need not. */
  async perhaps(type: TypeName, ms: number): Promise<Response | undefined> {
    await this.quiet(type, ms).catch(() => {});
    return this.#pending.some((response) => response.type === type) ? this.expect(type) : undefined;
  }

  /** Fails if a response of the type (`undefined`: of any type) is left unseen, or comes within this time. */
  async quiet(type: TypeName | undefined, ms: number): Promise<void> {
    const until = listenedMs() + ms;
    for (;;) {
      const unseen = this.#pending.find((response) => type === undefined || response.type === type);
      if (unseen !== undefined) throw new Error(`not quiet: ${describeResponse(unseen)}${this.#history()}`);
      if (this.#status !== undefined) throw new Error(`the stream ended with ${describeStatus(this.#status)}`);
      const leftMs = until - listenedMs();
      if (leftMs <= 0) return;
      await this.#next(leftMs);
    }
  }

  /** Counts everything that came so far as seen. */
  forget(): void {
    this.#pending.length = 0;
  }

  /** The status that the stream ended with. */
  async status(withinMs = this.#options.withinMs): Promise<StatusObject> {
    const deadline = performance.now() + withinMs;
    while (this.#status === undefined) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`the stream did not end within ${withinMs} ms${this.#history()}`);
      await this.#next(leftMs);
    }
    return this.#status;
  }

  /** Whether the stream has ended, whoever ended it, or is about to by our doing. */
  get ended(): boolean {
    return this.#status !== undefined || this.#leaving;
  }

  halfClose(): void {
    this.#leaving = true;
    this.#call.end();
  }

  /** Resets the stream. */
  cancel(): void {
    this.#leaving = true;
    this.#call.cancel();
  }

  /** Takes one more message at most: HTTP/2's window fills. */
  pauseReads(): void {
    const call = this.#call;
    const read = call._read;
    let mayRead = true;
    // Node reads on until a paused stream has buffered 16 messages, and grpc-js takes all that comes until its first read.
    call._read = (size) => {
      if (mayRead) read.call(call, size);
      mayRead = false;
    };
    call.pause();
  }

  resume(): void {
    Reflect.deleteProperty(this.#call, "_read");
    // Whatever was not read meanwhile.
    this.#call._read(1);
    this.#call.resume();
  }

  /** Sends bytes that need not be a request. */
  sendBytes(bytes: Uint8Array): void {
    this.#first = false;
    this.#call.write(Buffer.from(bytes));
  }

  async #next(ms: number): Promise<void> {
    const waiting = new AbortController();
    const woken = new Promise<void>((resolve) => this.#wake.push(resolve));
    await Promise.race([woken, delay(ms, undefined, { signal: waiting.signal }).catch(() => {})]);
    waiting.abort();
  }

  #history(): string {
    const last = this.log.slice(-12).map(({ direction, text }) => `\n  ${direction === "sent" ? "→" : "←"} ${text}`);
    return last.length === 0 ? "" : `; the last messages:${last.join("")}`;
  }
}

function known({ type, typeUrl }: Response): TypeName {
  if (type === undefined) throw new Error(`a response of the unknown type ${typeUrl}`);
  return type;
}

const describeStatus = ({ code, details }: StatusObject): string => `${code} (${details})`;

function describeRequest(
  type: string,
  { names, subscribe, unsubscribe, nonce, version, error, known }: Fields,
): string {
  const list = (mark: string, items: readonly string[] | undefined): string =>
    items === undefined || items.length === 0
      ? ""
      : ` ${mark}[${items.slice(0, 8).join(",")}${items.length > 8 ? ",…" : ""}]`;
  const parts = [
    list("", names),
    list("+", subscribe),
    list("-", unsubscribe),
    list("knows ", known && Object.keys(known)),
  ];
  const answer = nonce === undefined || nonce === "" ? "" : ` nonce ${nonce}`;
  return `${type}${parts.join("")}${version ? ` version ${version}` : ""}${answer}${error === undefined ? "" : " NACK"}`;
}
