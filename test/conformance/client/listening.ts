const tickMs = 10;
const maxStepMs = 2 * tickMs;

let listened = 0;
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  listened += Math.min(now - last, maxStepMs);
  last = now;
}, tickMs).unref();

/**
 * Milliseconds that this thread has listened to its sockets: a clock that all but stands still while the thread is busy, or has
 * no processor. Silence is measured by it, and what may still be on its way.
 */
export const listenedMs = (): number => listened;
