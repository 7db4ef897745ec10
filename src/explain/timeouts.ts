import type { Duration } from "@bufbuild/protobuf/wkt";
import type { RouteAction, VirtualHost } from "../envoy/route-messages.ts";

const usualTimeoutMs = 15_000;

/** How long an upstream has for its answer, in milliseconds; undefined: as long as it wants. */
export function expectedTimeoutMs(action: RouteAction, host: VirtualHost): number | undefined {
  const whole = action.maxStreamDuration === undefined ? millisecondsOf(action.timeout, usualTimeoutMs) : 0;
  const { perTryTimeout } = action.retryPolicy ?? host.retryPolicy ?? {};
  const perTry = millisecondsOf(perTryTimeout, 0);
  const { hedgeOnPerTryTimeout: isHedged = false } = action.hedgePolicy ?? host.hedgePolicy ?? {};
  const isShorter = perTry > 0 && (whole === 0 || perTry < whole);
  return (isShorter && !isHedged ? perTry : whole) || undefined;
}

const millisecondsOf = (duration: Duration | undefined, otherwise: number): number =>
  duration === undefined ? otherwise : Number(duration.seconds) * 1_000 + Math.trunc(duration.nanos / 1_000_000);
