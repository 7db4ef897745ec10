import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  ClientStatusDiscoveryService,
  ClientStatusRequestSchema,
  ClientStatusResponseSchema,
} from "../../gen/envoy/service/status/v3/csds_pb.ts";
import type { ProxyNode } from "../../model/proxy.ts";
import { encodeClientConfig, metadataOf, type ResourceStatus } from "./client-config.ts";
import { compileNodeMatchers } from "./node-matcher.ts";
import { readRequest } from "./read-request.ts";
import type { ServedService } from "./served-service.ts";
import type { Reply } from "./side-call.ts";
import { createSideService, type SideLimits, type SidePorts } from "./side-service.ts";

/** Who knows how the clients stand. */
export interface ClientStatuses {
  /** The connected ones, by id. */
  readonly clients: () => readonly ProxyNode[];
  /** All that is known of one; `bodies`: with the bytes of its resources. */
  readonly resourcesOf: (node: ProxyNode, bodies: boolean) => readonly ResourceStatus[];
}

export interface CsdsPorts extends SidePorts {
  readonly statuses: ClientStatuses;
  readonly options?: Partial<CsdsOptions>;
}

export interface CsdsOptions {
  /** Clients in one answer. */
  readonly maxClients: number;
  /** Bytes of one answer. */
  readonly maxResponseBytes: number;
}

const mebibyte = 1024 * 1024;

const defaultOptions: CsdsOptions = { maxClients: 1_000, maxResponseBytes: 64 * mebibyte };

/** Few calls, as each may hold an answer of the largest size until it has left. */
const limits: SideLimits = {
  maxCalls: 8,
  maxRequestBytes: 64 * 1024,
  burst: 100,
  perSecond: 10,
  budgetOf: "service",
  firstRequestMs: 10_000,
};

/** After so many resources other work has its turn. */
const resourcesPerTurn = 2_000;

/** Client status discovery: what the ledger knows, in Envoy's words. */
export function createCsds(ports: CsdsPorts): ServedService {
  const { statuses, clock } = ports;
  const options: CsdsOptions = { ...defaultOptions, ...ports.options };
  const nextTurn = (): Promise<void> => new Promise((resolve) => void clock.after(0, resolve));

  const answer = async (bytes: Uint8Array): Promise<Reply> => {
    const { nodeMatchers, excludeResourceContents } = readRequest(ClientStatusRequestSchema, bytes);
    const matches = compileNodeMatchers(nodeMatchers);
    const clients = statuses.clients().filter((node) => matches({ id: node.id, metadata: metadataOf(node) }));
    if (clients.length > options.maxClients) {
      return tooMuch(`${clients.length} clients match; an answer has ${options.maxClients} at most`);
    }
    const response = new BinaryWriter();
    let length = 0;
    let sinceTurn = 0;
    for (const node of clients) {
      const resources = statuses.resourcesOf(node, !excludeResourceContents);
      const config = encodeClientConfig(node, resources);
      length += config.length + maxHeadBytes;
      if (length > options.maxResponseBytes) return tooMuch(`the answer exceeds ${options.maxResponseBytes} bytes`);
      response.tag(ClientStatusResponseSchema.field.config.number, WireType.LengthDelimited).bytes(config);
      sinceTurn += resources.length;
      if (sinceTurn < resourcesPerTurn) continue;
      sinceTurn = 0;
      await nextTurn();
    }
    return { kind: "answer", message: response.finish() };
  };

  const open = () => ({ receive: answer });
  return createSideService(
    "csds",
    ClientStatusDiscoveryService,
    { streamClientStatus: open, fetchClientStatus: open },
    limits,
    ports,
  );
}

/** Of a tag and a length. */
const maxHeadBytes = 6;

const tooMuch = (found: string): Reply => ({
  kind: "refusal",
  status: "RESOURCE_EXHAUSTED",
  reason: `${found}: ask with node_matchers for fewer clients at a time, or with exclude_resource_contents`,
});
