import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Clock } from "../../base/clock.ts";
import { acceptedEncodings, decompressorOf, isTooLong } from "./compression.ts";
import { deadlineMs } from "./deadline.ts";
import { createFrameReader, type FrameReader, FramingError } from "./framing.ts";
import { type GrpcStatus, statusHeaders } from "./status.ts";

/** Messages each way; on the wire a unary call is no other. */
export interface GrpcCall {
  /** `address:port` of the client. */
  readonly peer: string;
  /** No request is given on before `resume`. HTTP/2 holds the client back when its window is full. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Writes one message with its prefix (`frame`). `onLeft` is called once its bytes have left; never, if the client takes none. */
  readonly write: (framed: Buffer, onLeft?: () => void) => void;
  /** Ends it behind what was written; what still comes is dropped. A call ends once: later statuses are not heard. */
  readonly end: (status: GrpcStatus, details?: string) => void;
}

/** Who serves a call; one request is given at a time, in the order in which they come. */
export interface CallListener {
  readonly receive: (request: Buffer) => void;
  /** The client has closed its side: there are no more requests. */
  readonly halfClosed: () => void;
  /** It is over, whoever ended it. Comes once. */
  readonly gone: () => void;
}

/** Begins to serve a call; `C` is what is known of its connection. */
export type ServeCall<C = unknown> = (call: GrpcCall, connection: C) => CallListener;

/** For a call that is ended at once. */
export const nobody: CallListener = { receive: () => {}, halfClosed: () => {}, gone: () => {} };

export interface CallPorts {
  readonly clock: Clock;
  readonly maxRequestBytes: number;
}

interface Arrived {
  readonly bytes: Buffer;
  readonly compressed: boolean;
}

/** How long a client that knows its status may leave its side open. */
const lingerMs = 10_000;

const responseHeaders = {
  [constants.HTTP2_HEADER_STATUS]: 200,
  [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
  "grpc-accept-encoding": acceptedEncodings,
};

export class OpenCall implements GrpcCall {
  readonly peer: string;
  readonly #stream: ServerHttp2Stream;
  readonly #encoding: string;
  readonly #ports: CallPorts;
  readonly #reader: FrameReader;
  /** Requests that have come and were not given on. */
  readonly #arrived: Arrived[] = [];
  #listener: CallListener | undefined;
  #stopDeadline: () => void = () => {};
  /** The next request waits: for the listener, for its bytes, or for the one before. */
  #paused = false;
  #unpacking = false;
  #passing = false;
  #requests: "come" | "came" | "done" = "come";
  #ended = false;
  #gone = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: string, ports: CallPorts) {
    this.peer = peer;
    this.#stream = stream;
    this.#encoding = String(headers["grpc-encoding"] ?? "identity");
    this.#ports = ports;
    this.#reader = createFrameReader(ports.maxRequestBytes, (bytes, compressed) =>
      this.#arrived.push({ bytes, compressed }),
    );
    // Whatever it is, `close` comes after it.
    stream.on("error", () => {}).on("close", () => this.#close());
    // Envoy resets without an error, which Node takes for an end in order, and waits until all is read and written.
    stream.on("aborted", () => queueMicrotask(() => stream.destroy()));
    this.#awaitDeadline(headers["grpc-timeout"]);
  }

  serve<C>(serve: ServeCall<C>, connection: C): void {
    if (this.#ended) return;
    this.#listener = serve(this, connection);
    this.#stream.on("data", (bytes: Buffer) => this.#take(bytes)).on("end", () => this.#finishTaking());
    if (this.#paused) this.#stream.pause();
  }

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#pass();
  }

  write(framed: Buffer, onLeft: () => void = () => {}): void {
    const stream = this.#stream;
    if (this.#ended || stream.closed) return;
    if (!stream.headersSent) stream.respond(responseHeaders, { waitForTrailers: true });
    stream.write(framed, (error) => {
      if (!error) onLeft();
    });
  }

  end(status: GrpcStatus, details = ""): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopDeadline();
    this.#arrived.length = 0;
    const stream = this.#stream;
    if (stream.closed) return;
    const trailers = statusHeaders(status, details);
    if (!stream.headersSent) {
      stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
      this.#linger();
    } else {
      stream.once("wantTrailers", () => {
        stream.sendTrailers(trailers);
        this.#linger();
      });
      stream.end();
    }
    // The stream is over when the client's side is read to its end.
    stream.resume();
  }

  /** A client that has its status closes its side; a reset at once could overtake the status. */
  #linger(): void {
    const stream = this.#stream;
    stream.once(
      "close",
      this.#ports.clock.after(lingerMs, () => stream.close(constants.NGHTTP2_NO_ERROR)),
    );
  }

  #take(bytes: Buffer): void {
    if (this.#ended) return;
    try {
      this.#reader.read(bytes);
    } catch (cause) {
      if (!(cause instanceof FramingError)) throw cause;
      this.#fail(cause.status, cause.message);
    }
    this.#pass();
  }

  #finishTaking(): void {
    // It was reset: there is nobody to hear the rest.
    if (this.#stream.closed) {
      this.#stream.destroy();
      return;
    }
    if (this.#reader.isWithin()) this.#fail("INTERNAL", "the requests end within a message");
    this.#requests = "came";
    this.#pass();
  }

  /** Gives on what has come, as long as it is wanted. */
  #pass(): void {
    if (this.#passing) return;
    this.#passing = true;
    while (!this.#paused && !this.#unpacking && !this.#ended) {
      const next = this.#arrived.shift();
      if (next === undefined) break;
      if (next.compressed) void this.#unpack(next.bytes);
      else this.#listener?.receive(next.bytes);
    }
    this.#passing = false;
    if (this.#ended || this.#gone) return;
    if (this.#paused || this.#unpacking) this.#stream.pause();
    else if (this.#requests === "come") this.#stream.resume();
    else if (this.#requests === "came") {
      this.#requests = "done";
      this.#listener?.halfClosed();
    }
  }

  /** Puts what was compressed back in its place. */
  async #unpack(bytes: Buffer): Promise<void> {
    const decompress = decompressorOf(this.#encoding);
    if (decompress === undefined) {
      const known = `requests compressed as ${JSON.stringify(this.#encoding)} are not read; ${acceptedEncodings} are`;
      this.#fail("UNIMPLEMENTED", known);
      return;
    }
    const { maxRequestBytes: maxOutputLength } = this.#ports;
    this.#unpacking = true;
    try {
      this.#arrived.unshift({ bytes: await decompress(bytes, { maxOutputLength }), compressed: false });
    } catch (cause) {
      if (isTooLong(cause)) this.#fail("RESOURCE_EXHAUSTED", `a request is longer than ${maxOutputLength} bytes`);
      else this.#fail("INTERNAL", "a request cannot be decompressed");
    }
    this.#unpacking = false;
    this.#pass();
  }

  #awaitDeadline(timeout: string | string[] | undefined): void {
    if (timeout === undefined) return;
    const afterMs = deadlineMs(String(timeout));
    if (afterMs === undefined) this.#fail("INTERNAL", "the header grpc-timeout is no time");
    else
      this.#stopDeadline = this.#ports.clock.after(afterMs, () => this.#fail("DEADLINE_EXCEEDED", "Deadline exceeded"));
  }

  /** Ends what the listener did not end. */
  #fail(status: GrpcStatus, details: string): void {
    if (this.#ended) return;
    this.end(status, details);
    this.#close();
  }

  #close(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#ended = true;
    this.#stopDeadline();
    this.#arrived.length = 0;
    this.#listener?.gone();
  }
}
