import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { createRateLimit, type RateLimit } from "../../base/rate-limit.ts";
import type { ServeCall } from "../grpc/call.ts";
import type { ServedService } from "./served-service.ts";
import { type OpenConversation, PacedCall } from "./side-call.ts";
import type { SideMetrics } from "./side-metrics.ts";

/** What a service beside discovery lets its clients do. */
export interface SideLimits {
  /** Calls at the same time; one more ends with RESOURCE_EXHAUSTED. */
  readonly maxCalls: number;
  /** Longer requests end their call with RESOURCE_EXHAUSTED. */
  readonly maxRequestBytes: number;
  /** Requests at once, and in the long run; what is above it is read later. */
  readonly burst: number;
  readonly perSecond: number;
  /** Who shares such a budget. */
  readonly budgetOf: "call" | "service";
  /** A call that says nothing for so long ends with DEADLINE_EXCEEDED. */
  readonly firstRequestMs: number;
}

export interface SidePorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SideMetrics;
}

/**
 * A service with its limits, out of what its methods say; `name` is its label in metrics and logs. All calls are bounded alike,
 * and one counts until the bytes of its answer have left.
 */
export function createSideService(
  name: string,
  desc: DescService,
  methods: Readonly<Record<string, OpenConversation>>,
  limits: SideLimits,
  { clock, log, metrics }: SidePorts,
): ServedService {
  const { burst, perSecond, maxCalls, budgetOf } = limits;
  const newRate = (): RateLimit => createRateLimit({ clock, burst, perSecond, maxKeys: 1 });
  const shared = newRate();
  const calls = new Set<PacedCall>();
  let ending = false;

  const serve =
    (method: DescMethod, open: OpenConversation): ServeCall =>
    (stream) => {
      // One of the call's own goes with it.
      const rate = budgetOf === "call" ? newRate() : shared;
      metrics.opened(name);
      const call = new PacedCall(stream, open, {
        ...{ clock, limits, shape: method.methodKind },
        log: log.child({ service: name, peer: stream.peer }),
        delayOfNext: () => {
          const verdict = rate.take("");
          return verdict.ok ? 0 : verdict.retryAfterMs;
        },
        onRefused: (status) => metrics.refused(name, status),
        onClosed: () => {
          calls.delete(call);
          metrics.closed(name);
        },
      });
      calls.add(call);
      // What is asked once is answered during a drain too.
      if (ending && method.methodKind !== "unary") call.end();
      else if (calls.size > maxCalls) call.refuse("RESOURCE_EXHAUSTED", `more than ${maxCalls} calls at the same time`);
      else call.start();
      return call;
    };

  const served = desc.methods.flatMap((method) => {
    const open = methods[method.localName];
    return open === undefined ? [] : [[`/${desc.typeName}/${method.name}`, serve(method, open)] as const];
  });
  return {
    methods: Object.fromEntries(served),
    end: () => {
      ending = true;
      for (const call of [...calls]) if (call.staysOpen) call.end();
    },
  };
}
