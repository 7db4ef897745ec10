import { percent } from "../base/percent.ts";
import type { Policies, Retry } from "../explain/policies.ts";
import type { Line } from "./labelled-lines.ts";
import { visibleText } from "./terminal-text.ts";

/** What holds for a request on its way. */
export function policyLines({
  timeoutMs,
  idleTimeoutMs,
  retry,
  mirrors,
  hashOn,
  fault,
  cors,
}: Policies): readonly Line[] {
  const lines: (Line | undefined)[] = [
    ["timeout", timeoutMs === undefined ? "none" : milliseconds(timeoutMs)],
    idleTimeoutMs === undefined ? undefined : ["idle", `at most ${milliseconds(idleTimeoutMs)}`],
    retry && ["retries", retryText(retry)],
    ...mirrors.map(({ cluster, share }): Line => ["mirror", `${visibleText(cluster)}, ${percent(share)}`]),
    hashOn.length > 0 ? ["hashed by", visibleText(hashOn.join(", then "))] : undefined,
    fault?.delay && ["fault", `${milliseconds(fault.delay.ms)} late, ${percent(fault.delay.share)}`],
    fault?.abort && ["fault", `${abortText(fault.abort)}, ${percent(fault.abort.share)}`],
    cors && ["cors", `for pages whose origin ${visibleText(cors.allowOrigins.join(", or ")) || "is nowhere"}`],
  ];
  return lines.filter((line) => line !== undefined);
}

const retryText = ({ retries, on, statusCodes }: Retry): string =>
  `${retries}, on ${visibleText(on.join(", "))}${statusCodes === undefined ? "" : ` (${statusCodes.join(", ")})`}`;

const abortText = ({ status, grpcStatus }: { readonly status?: number; readonly grpcStatus?: number }): string =>
  status === undefined ? `answered with gRPC status ${grpcStatus}` : `answered with ${status}`;

const milliseconds = (ms: number): string => (ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`);
