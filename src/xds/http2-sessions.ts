import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";

/** What is used of a session: its peer, its pings and its end. */
export type Http2Session = Pick<ServerHttp2Session, "closed" | "ping" | "close"> & {
  readonly socket: Pick<ServerHttp2Session["socket"], "remoteAddress" | "remotePort" | "localPort">;
};

/** From Node 24.2 on, which package.json demands. */
const streamCreated = "http2.server.stream.created";

/**
 * Hears of the HTTP/2 session of every stream that any server of this process begins, before its handler does: grpc-js keeps its
 * sessions to itself. The returned function ends that.
 */
export function watchSessions(onSession: (session: Http2Session) => void): () => void {
  const created = (message: unknown): void => {
    const { session } = (message as { readonly stream: ServerHttp2Stream }).stream;
    if (session !== undefined) onSession(session);
  };
  subscribe(streamCreated, created);
  return () => unsubscribe(streamCreated, created);
}
