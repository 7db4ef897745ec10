import type { Clock } from "../base/clock.ts";
import type { Admission } from "./admission.ts";
import type { XdsMetrics } from "./metrics.ts";
import type { XdsOptions } from "./options.ts";
import type { RequestRate } from "./request-rate.ts";
import type { Session } from "./session.ts";

/** What stands between the bytes of a stream and its session: when each request is looked at, if at all. */
export interface Inlet {
  /** The bytes of one request. Never called again before `resume` once `pause` was. */
  readonly receive: (bytes: Uint8Array) => void;
  /** The stream is gone. */
  readonly close: () => void;
}

export interface InletPorts {
  readonly session: Pick<Session, "receive" | "refuse">;
  /** Where the requests come from. While it is paused HTTP/2 holds the client back. */
  readonly source: { readonly pause: () => void; readonly resume: () => void };
  readonly rate: RequestRate;
  readonly admission: Admission;
  readonly metrics: XdsMetrics;
  readonly clock: Clock;
  readonly options: Pick<XdsOptions, "firstRequestMs">;
}

export function createInlet({ session, source, rate, admission, metrics, clock, options }: InletPorts): Inlet {
  const { firstRequestMs } = options;
  let begun = false;
  /** Stops whatever the stream waits for. */
  let stopWaiting: () => void = clock.after(firstRequestMs, () => {
    metrics.turnedAway("silent");
    session.refuse("DEADLINE_EXCEEDED", `the stream made no request within ${firstRequestMs} ms`);
  });

  const first = (bytes: Uint8Array): void => {
    begun = true;
    stopWaiting();
    source.pause();
    stopWaiting = admission.ask({
      letIn: () => pass(bytes),
      refuse: (status, reason) => session.refuse(status, reason),
    });
  };

  const pass = (bytes: Uint8Array): void => {
    source.resume();
    session.receive(bytes);
  };

  return {
    receive(bytes) {
      const waitMs = rate.take(bytes.length);
      if (!begun) first(bytes);
      else if (waitMs === 0) session.receive(bytes);
      else {
        metrics.throttled();
        source.pause();
        stopWaiting = clock.after(waitMs, () => pass(bytes));
      }
    },
    close: () => stopWaiting(),
  };
}
