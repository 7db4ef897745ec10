import type { DescMethod } from "@bufbuild/protobuf";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { clientFaultOf } from "../client-fault.ts";
import type { CallListener, GrpcCall } from "../grpc/call.ts";
import { frame } from "../grpc/framing.ts";
import type { GrpcStatus } from "../grpc/status.ts";

/** A call as the one who answers it sees it. */
export interface SideCall {
  /** Sends a message that nobody asked for; while an earlier one has not left, only the newest waits. */
  readonly send: (message: Uint8Array) => void;
}

/** What a service says on one call. */
export interface Conversation {
  /** The bytes of one request; the next one is read when the answer has left. Throws `input/invalid` and `node/invalid`. */
  readonly receive: (request: Uint8Array) => Reply | Promise<Reply>;
  /** The call is over; comes once. */
  readonly close?: () => void;
}

export type OpenConversation = (call: SideCall) => Conversation;

export type Reply =
  | { readonly kind: "answer"; readonly message: Uint8Array }
  | { readonly kind: "silence" }
  | { readonly kind: "refusal"; readonly status: RefusalStatus; readonly reason: string };

/** How a call may be ended by us, other than in peace. */
export type RefusalStatus = Exclude<GrpcStatus, "OK">;

interface CallPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: { readonly maxRequestBytes: number; readonly firstRequestMs: number };
  readonly shape: DescMethod["methodKind"];
  /** How long the request that has come must wait, in ms; 0 spends from the budget. */
  readonly delayOfNext: () => number;
  readonly onRefused: (status: RefusalStatus) => void;
  readonly onClosed: () => void;
}

/** One call: it reads a request when the one before has been answered, and never holds more than one. */
export class PacedCall implements SideCall, CallListener {
  readonly #call: GrpcCall;
  readonly #ports: CallPorts;
  readonly #conversation: Conversation;
  #cancelTimer: () => void = () => {};
  #closed = false;
  #answered = false;
  #sending = false;
  #waiting: Uint8Array | undefined;

  constructor(call: GrpcCall, open: OpenConversation, ports: CallPorts) {
    this.#call = call;
    this.#ports = ports;
    this.#conversation = open(this);
  }

  /** Not for one request and one answer. */
  get staysOpen(): boolean {
    return this.#ports.shape !== "unary";
  }

  /** Waits for the first request. */
  start(): void {
    const { clock, limits } = this.#ports;
    this.#cancelTimer = clock.after(limits.firstRequestMs, () =>
      this.refuse("DEADLINE_EXCEEDED", `no request came within ${limits.firstRequestMs} ms`),
    );
  }

  receive(request: Buffer): void {
    this.#call.pause();
    this.#cancelTimer();
    this.#take(request);
  }

  /** The client has nothing more to ask. */
  halfClosed(): void {
    if (this.#ports.shape !== "bidi_streaming") this.refuse("INVALID_ARGUMENT", "there is no request");
    this.#finish();
  }

  gone(): void {
    this.#close();
  }

  send(message: Uint8Array): void {
    if (this.#closed) return;
    if (this.#sending) {
      this.#waiting = message;
      return;
    }
    this.#sending = true;
    this.#write(message, () => {
      this.#sending = false;
      const next = this.#waiting;
      this.#waiting = undefined;
      if (next !== undefined) this.send(next);
    });
  }

  /** Ends it in peace; a client that has had no answer is to back off. */
  end(): void {
    if (!this.#answered) this.refuse("UNAVAILABLE", "the control plane is shutting down");
    if (this.#closed) return;
    if (this.#waiting !== undefined) this.#write(this.#waiting, () => {});
    this.#finish();
  }

  refuse(code: RefusalStatus, reason: string): void {
    if (this.#closed) return;
    this.#ports.onRefused(code);
    this.#close();
    this.#call.end(code, reason);
  }

  #finish(): void {
    if (this.#closed) return;
    this.#close();
    this.#call.end("OK");
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer();
    this.#waiting = undefined;
    this.#conversation.close?.();
    this.#ports.onClosed();
  }

  #write(message: Uint8Array, onLeft: () => void): void {
    this.#answered = true;
    this.#call.write(frame(message), () => {
      if (!this.#closed) onLeft();
    });
  }

  #take(request: Buffer): void {
    if (this.#closed) return;
    const { limits, clock, delayOfNext } = this.#ports;
    if (request.length > limits.maxRequestBytes) {
      const reason = `a request of ${request.length} bytes; at most ${limits.maxRequestBytes} are accepted`;
      this.refuse("RESOURCE_EXHAUSTED", reason);
      return;
    }
    const delayMs = delayOfNext();
    // Nothing is read meanwhile: whoever asks too often is slowed down.
    if (delayMs > 0) this.#cancelTimer = clock.after(delayMs, () => this.#take(request));
    else void this.#answer(request);
  }

  async #answer(request: Buffer): Promise<void> {
    try {
      const reply = await this.#conversation.receive(request);
      if (this.#closed) return;
      if (reply.kind === "refusal") this.refuse(reply.status, reply.reason);
      else if (reply.kind === "answer") this.#write(reply.message, () => this.#goOn());
      else this.#goOn();
    } catch (cause) {
      const fault = clientFaultOf(cause);
      if (fault !== undefined) {
        this.refuse("INVALID_ARGUMENT", fault);
        return;
      }
      this.#ports.log.error({ err: cause }, "call failed");
      this.refuse("INTERNAL", "the control plane failed to serve this call; its log says why");
    }
  }

  /** The request has been dealt with. */
  #goOn(): void {
    const { shape } = this.#ports;
    if (!this.staysOpen) this.#finish();
    // The one request of a server-streaming call has come: nothing more is to be read.
    else if (shape === "bidi_streaming") this.#call.resume();
  }
}
