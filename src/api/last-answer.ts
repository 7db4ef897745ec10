import type { IncomingMessage } from "node:http";
import { finished } from "node:stream/promises";

const lingerMs = 1_000;

/**
 * An answer to a request whose body nobody wants. A connection that ends while bytes come in is reset, and its client never sees
 * the answer: so the answer ends a moment after its last byte, and what comes in meanwhile is thrown away.
 */
export async function* lastAnswer(answer: Uint8Array, request: IncomingMessage): AsyncGenerator<Uint8Array> {
  yield answer;
  request.resume();
  await finished(request, { signal: AbortSignal.timeout(lingerMs) }).catch(() => {});
}
