/** What a server speaks on a port; `any`: HTTP/1.1 or bytes, whichever comes. A greeting is sent by the server before it is sent anything. */
export type Speech = "http" | "http2" | "grpc" | "tls" | "bytes" | "greeting" | "any";

export interface Call {
  readonly protocol: Exclude<Speech, "any">;
  readonly host: string;
  readonly port: number;
  /** The host that an HTTP request asks for; default: where it goes to. */
  readonly authority?: string;
}

/** What a server says of a call. */
export interface Heard {
  readonly who: string;
  /** Whom it sees as its caller. */
  readonly peer: string;
  /** What it took the call for. */
  readonly as: string;
}

export type Outcome = Heard | { readonly failed: string };

/** What came of a steady load. */
export interface LoadReport {
  /** How often each server answered. */
  readonly answers: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

/** What a peer is asked for, and what it answers. */
export interface Orders {
  readonly call: { readonly asked: Call; readonly answer: Outcome };
  /** Calls again and again; `stopLoad` ends it. */
  readonly startLoad: { readonly asked: Call; readonly answer: null };
  /** What came of it so far. */
  readonly load: { readonly asked: null; readonly answer: LoadReport };
  readonly stopLoad: { readonly asked: null; readonly answer: LoadReport };
  /** The text at a URL. */
  readonly read: { readonly asked: string; readonly answer: string };
}

export const grpcPath = "/fairway.test.Peer/Call";

export const asIs = (bytes: Buffer): Buffer => bytes;
