import { create, toBinary } from "@bufbuild/protobuf";
import { createSignal, type Signal } from "../../base/signal.ts";
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/grpc/health/v1/health_pb.ts";
import { readRequest } from "./read-request.ts";
import type { ServedService } from "./served-service.ts";
import { createSideService, type SideLimits, type SidePorts } from "./side-service.ts";

export interface HealthPorts extends SidePorts {
  /** Whether streams would be answered: the first world is complete. */
  readonly ready: Signal<boolean>;
  /** Full names of the gRPC services that are spoken for; the whole server, "", is always among them. */
  readonly services: readonly string[];
}

const limits: SideLimits = {
  maxCalls: 1_000,
  maxRequestBytes: 4_096,
  burst: 10,
  perSecond: 1,
  budgetOf: "call",
  firstRequestMs: 10_000,
};

/** gRPC's health checking: SERVING when the first world is complete and no drain has begun. All services stand and fall together. */
export function createHealth(ports: HealthPorts): ServedService {
  const { ready, services } = ports;
  const known = new Set(["", ...services]);
  const draining = createSignal(false);
  const current = (): HealthCheckResponse_ServingStatus =>
    ready.value && !draining.value ? Status.SERVING : Status.NOT_SERVING;

  const served = createSideService(
    "health",
    Health,
    {
      check: () => ({
        receive: (bytes) => {
          const { service } = readRequest(HealthCheckRequestSchema, bytes);
          if (known.has(service)) return { kind: "answer", message: encoded(current()) };
          return { kind: "refusal", status: "NOT_FOUND", reason: `no service ${service.slice(0, 200)} is served here` };
        },
      }),

      watch: (call) => {
        let unsubscribes: readonly (() => void)[] = [];
        return {
          receive: (bytes) => {
            const { service } = readRequest(HealthCheckRequestSchema, bytes);
            if (!known.has(service)) return { kind: "answer", message: encoded(Status.SERVICE_UNKNOWN) };
            const first = current();
            let last = first;
            const follow = (): void => {
              if (current() === last) return;
              last = current();
              call.send(encoded(last));
            };
            unsubscribes = [ready.subscribe(follow), draining.subscribe(follow)];
            return { kind: "answer", message: encoded(first) };
          },
          close: () => {
            for (const unsubscribe of unsubscribes) unsubscribe();
          },
        };
      },
    },
    limits,
    ports,
  );
  return {
    ...served,
    end: () => {
      draining.set(true);
      served.end?.();
    },
  };
}

const encoded = (status: HealthCheckResponse_ServingStatus): Uint8Array =>
  toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status }));
