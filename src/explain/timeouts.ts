import { millisecondsOf, type RouteAction, type VirtualHost } from "../envoy/route-messages.ts";

/** Where a route says nothing. */
const usualTimeoutMs = 15_000;

/** For the whole response, tries included; 0: none. */
export const wholeTimeoutMs = ({ timeout }: RouteAction): number =>
  timeout === undefined ? usualTimeoutMs : millisecondsOf(timeout);

/** How long an upstream is told that it has for its answer, in whole milliseconds; undefined: as long as it wants. */
export function expectedTimeoutMs(action: RouteAction, host: VirtualHost): number | undefined {
  const whole = action.maxStreamDuration === undefined ? Math.trunc(wholeTimeoutMs(action)) : 0;
  const { perTryTimeout } = action.retryPolicy ?? host.retryPolicy ?? {};
  const perTry = perTryTimeout === undefined ? 0 : Math.trunc(millisecondsOf(perTryTimeout));
  const { hedgeOnPerTryTimeout: isHedged = false } = action.hedgePolicy ?? host.hedgePolicy ?? {};
  const isShorter = perTry > 0 && (whole === 0 || perTry < whole);
  return (isShorter && !isHedged ? perTry : whole) || undefined;
}
