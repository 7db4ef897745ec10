import { create, fromBinary, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, type StatusObject } from "@grpc/grpc-js";
import { resourceType, resourceTypeOf, type TypeName } from "../../src/envoy/resource-types.ts";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { waitFor } from "./wait-for.ts";
import { readWireResource } from "./wire-resources.ts";

/** A raw client of ADS, with no xDS library in it: full control of every field, nothing answered by itself. */
export interface XdsClient {
  /** `path` is that of a single-type method; ADS when absent. */
  readonly openSotw: (path?: string) => SotwStream;
  readonly openDelta: (path?: string) => DeltaStream;
  readonly close: () => void;
}

export interface Received {
  readonly type: TypeName;
  readonly version: string;
  readonly nonce: string;
  readonly identifier: string;
  /** By name; `version` only in delta. */
  readonly resources: ReadonlyMap<
    string,
    { readonly version: string; readonly content: string; readonly bytes: Uint8Array }
  >;
  readonly removed: readonly string[];
}

export interface NodeFields {
  readonly id: string;
  readonly metadata?: JsonObject;
  readonly userAgentName?: string;
}

export interface SotwFields {
  readonly node?: NodeFields;
  readonly typeUrl?: string;
  readonly names?: readonly string[];
  readonly version?: string;
  readonly nonce?: string;
  readonly error?: string;
}

export interface DeltaFields {
  readonly node?: NodeFields;
  readonly typeUrl?: string;
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly known?: Readonly<Record<string, string>>;
  readonly nonce?: string;
  readonly error?: string;
}

const service = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
const asIs = (bytes: Buffer): Buffer => bytes;

export function connectXds(port: number, host = "127.0.0.1"): XdsClient {
  const client = new Client(`${host}:${port}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.use_local_subchannel_pool": 1,
  });
  const open = (path: string): ClientDuplexStream<Buffer, Buffer> => client.makeBidiStreamRequest(path, asIs, asIs);
  return {
    openSotw: (path = `${service}/StreamAggregatedResources`) => new SotwStream(open(path)),
    openDelta: (path = `${service}/DeltaAggregatedResources`) => new DeltaStream(open(path)),
    close: () => client.close(),
  };
}

/** What the two variants have in common. Each response is held against the rules that no response may break. */
abstract class RawStream {
  protected readonly call: ClientDuplexStream<Buffer, Buffer>;
  /** Everything that came, in order. */
  readonly received: Received[] = [];
  #taken = 0;
  #status: StatusObject | undefined;
  readonly #nonces = new Set<string>();
  #fault: unknown;

  constructor(call: ClientDuplexStream<Buffer, Buffer>) {
    this.call = call;
    call.on("data", (bytes: Buffer) => {
      try {
        const response = this.decode(bytes);
        if (response.nonce === "" || this.#nonces.has(response.nonce)) throw new Error(`bad nonce ${response.nonce}`);
        if (response.version === "") throw new Error(`${response.type}: a response without a version`);
        this.#nonces.add(response.nonce);
        this.received.push(response);
      } catch (fault) {
        this.#fault ??= fault;
      }
    });
    call.on("status", (status) => {
      this.#status = status;
    });
    call.on("error", () => {});
  }

  protected abstract decode(bytes: Buffer): Received;

  /** The next response; it must be of this type. */
  async next(type: TypeName, withinMs = 10_000): Promise<Received> {
    const what = `a ${type} response`;
    await waitFor(() => this.received.length > this.#taken || this.#fault || this.#status, { withinMs, what });
    if (this.#fault !== undefined) throw this.#fault;
    const response = this.received[this.#taken++];
    if (response?.type !== type) throw new Error(`${response?.type ?? this.#status?.details} came instead of ${what}`);
    return response;
  }

  /** Fails if anything comes within this time. */
  async quiet(ms: number): Promise<void> {
    const [before, until] = [this.#taken, performance.now() + ms];
    await waitFor(() => this.received.length > before || performance.now() > until, { withinMs: ms + 1_000 });
    const more = this.received.slice(before);
    if (more.length > 0) throw new Error(`not quiet: ${more.map(({ type }) => type).join(" ")}`);
  }

  /** The status that the stream ended with. */
  status(withinMs = 5_000): Promise<StatusObject> {
    return waitFor(() => this.#status, { withinMs, what: "the end of the stream" });
  }

  halfClose(): void {
    this.call.end();
  }

  cancel(): void {
    this.call.cancel();
  }

  /** Takes no more bytes from the server. */
  pause(): void {
    this.call.pause();
  }

  resume(): void {
    this.call.resume();
  }

  sendBytes(bytes: Uint8Array): void {
    this.call.write(Buffer.from(bytes));
  }
}

export class SotwStream extends RawStream {
  readonly #names = new Map<TypeName, readonly string[]>();

  send(type: TypeName | "", fields: SotwFields = {}): void {
    const { node, names = [], version = "", nonce = "", error } = fields;
    if (type !== "") this.#names.set(type, names);
    const request = create(DiscoveryRequestSchema, {
      ...(node && { node }),
      typeUrl: fields.typeUrl ?? (type === "" ? "" : resourceType(type).url),
      resourceNames: [...names],
      versionInfo: version,
      responseNonce: nonce,
      ...(error !== undefined && { errorDetail: { code: 3, message: error } }),
    });
    this.sendBytes(toBinary(DiscoveryRequestSchema, request));
  }

  /** Accepts a response; the subscription stays unless `names` changes it. */
  ack({ type, version, nonce }: Received, names = this.#names.get(type) ?? []): void {
    this.send(type, { names, version, nonce });
  }

  nack({ type, version, nonce }: Received, error: string, names = this.#names.get(type) ?? []): void {
    this.send(type, { names, version, nonce, error });
  }

  /** The next response, accepted. */
  async accept(type: TypeName): Promise<Received> {
    const response = await this.next(type);
    this.ack(response);
    return response;
  }

  protected override decode(bytes: Buffer): Received {
    const response = fromBinary(DiscoveryResponseSchema, bytes);
    const { short, url } = typeOf(response.typeUrl);
    const entries = response.resources.map(({ typeUrl, value }) => {
      if (typeUrl !== url) throw new Error(`a resource of type ${typeUrl} in a response of type ${url}`);
      const { name, content } = readWireResource(value);
      return [name, { version: response.versionInfo, content, bytes: value }] as const;
    });
    return {
      type: short,
      version: response.versionInfo,
      nonce: response.nonce,
      identifier: response.controlPlane?.identifier ?? "",
      resources: uniqueNames(entries, []),
      removed: [],
    };
  }
}

export class DeltaStream extends RawStream {
  send(type: TypeName | "", fields: DeltaFields = {}): void {
    const { node, subscribe = [], unsubscribe = [], known = {}, nonce = "", error } = fields;
    const request = create(DeltaDiscoveryRequestSchema, {
      ...(node && { node }),
      typeUrl: fields.typeUrl ?? (type === "" ? "" : resourceType(type).url),
      resourceNamesSubscribe: [...subscribe],
      resourceNamesUnsubscribe: [...unsubscribe],
      initialResourceVersions: { ...known },
      responseNonce: nonce,
      ...(error !== undefined && { errorDetail: { code: 3, message: error } }),
    });
    this.sendBytes(toBinary(DeltaDiscoveryRequestSchema, request));
  }

  ack({ type, nonce }: Received, change: Pick<DeltaFields, "subscribe" | "unsubscribe"> = {}): void {
    this.send(type, { nonce, ...change });
  }

  nack({ type, nonce }: Received, error: string): void {
    this.send(type, { nonce, error });
  }

  /** The next response, accepted. */
  async accept(type: TypeName): Promise<Received> {
    const response = await this.next(type);
    this.ack(response);
    return response;
  }

  protected override decode(bytes: Buffer): Received {
    const response = fromBinary(DeltaDiscoveryResponseSchema, bytes);
    const { short, url } = typeOf(response.typeUrl);
    const entries = response.resources.map(({ name, version, resource }) => {
      if (resource?.typeUrl !== url)
        throw new Error(`a resource of type ${resource?.typeUrl} in a response of type ${url}`);
      const inner = readWireResource(resource.value);
      if (inner.name !== name) throw new Error(`a resource ${inner.name} under the name ${name}`);
      return [name, { version, content: inner.content, bytes: resource.value }] as const;
    });
    return {
      type: short,
      version: response.systemVersionInfo,
      nonce: response.nonce,
      identifier: response.controlPlane?.identifier ?? "",
      resources: uniqueNames(entries, response.removedResources),
      removed: response.removedResources,
    };
  }
}

function typeOf(url: string): { readonly short: TypeName; readonly url: string } {
  const type = resourceTypeOf(url);
  if (type === undefined) throw new Error(`a response of the unknown type ${url}`);
  return type;
}

function uniqueNames<V>(
  entries: readonly (readonly [string, V])[],
  removed: readonly string[],
): ReadonlyMap<string, V> {
  const names = new Set([...entries.map(([name]) => name), ...removed]);
  if (names.size !== entries.length + removed.length) throw new Error(`a name twice among ${[...names].join(" ")}`);
  return new Map(entries);
}

/** Asks for clusters, endpoints, listeners and the route table `9080`, as an Envoy does, and accepts them; the routes. */
export async function takeEverything(stream: DeltaStream, node: NodeFields): Promise<Received> {
  stream.send("CDS", { node });
  const clusters = await stream.accept("CDS");
  const names = [...clusters.resources.keys()].filter((name) => name.startsWith("outbound|"));
  stream.send("EDS", { subscribe: names });
  await stream.accept("EDS");
  stream.send("LDS");
  await stream.accept("LDS");
  stream.send("RDS", { subscribe: ["9080"] });
  return stream.accept("RDS");
}
