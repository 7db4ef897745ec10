import { MeshError } from "../../base/errors.ts";

/** Envoy's admin port. Every call rejects with `envoy/failed` when the answer is not 200, too late or too large. */
export interface EnvoyAdmin {
  /** `host:port`. */
  readonly address: string;
  /** Whether Envoy serves: `/ready` says LIVE. False, too, while nothing answers. */
  readonly isLive: () => Promise<boolean>;
  readonly serverInfo: () => Promise<ServerInfo>;
  /** Counters and gauges whose name matches the regular expression (RE2, anywhere in the name). */
  readonly stats: (filter: string) => Promise<ReadonlyMap<string, number>>;
  /** `/config_dump`: proto JSON. `resource` is a field of a dump, for example `dynamic_route_configs`. */
  readonly configDump: (options?: ConfigDumpOptions) => Promise<unknown>;
  /** `/clusters`: hosts, their health and statistics. */
  readonly clusters: () => Promise<unknown>;
  readonly listeners: () => Promise<readonly EnvoyListener[]>;
  /** `/init_dump`: what a start still waits for. */
  readonly initDump: () => Promise<unknown>;
  /** Tells peers to take their next request elsewhere; `graceful` over Envoy's drain time, else at once. Envoy goes on running. */
  readonly drainListeners: (options?: { readonly graceful?: boolean }) => Promise<void>;
}

export interface ServerInfo {
  /** For example `1.40.0`. */
  readonly version: string;
  /** `LIVE`, `DRAINING`, `PRE_INITIALIZING` or `INITIALIZING`. */
  readonly state: string;
}

export interface ConfigDumpOptions {
  readonly resource?: string;
  /** Field mask of the answer. */
  readonly mask?: string;
  readonly includeEndpoints?: boolean;
}

export interface EnvoyListener {
  readonly name: string;
  /** Undefined for a listener on a pipe. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
}

const timeoutMs = 5_000;
const maxBytes = 64 * 1024 * 1024;

/** `address` as Envoy writes it: `host:port`, or `[host]:port`. */
export function envoyAdmin(address: string): EnvoyAdmin {
  const call = (path: string, method: "GET" | "POST" = "GET") => request(`http://${address}${path}`, method);
  const json = async (path: string): Promise<unknown> => parsed(path, await call(path));
  return {
    address,
    isLive: () =>
      call("/ready").then(
        (text) => text.trim() === "LIVE",
        () => false,
      ),
    async serverInfo() {
      const { version, state } = record(await json("/server_info"));
      return { version: String(version).split("/")[1] ?? "", state: String(state) };
    },
    async stats(filter) {
      const { stats } = record(await json(`/stats?format=json&filter=${encodeURIComponent(filter)}`));
      return new Map(
        list(stats)
          .map(record)
          .flatMap(({ name, value }) => numericStat(name, value)),
      );
    },
    configDump: ({ resource, mask, includeEndpoints } = {}) => {
      const query = new URLSearchParams({ ...(resource && { resource }), ...(mask && { mask }) });
      if (includeEndpoints) query.set("include_eds", "");
      return json(`/config_dump?${query}`);
    },
    clusters: () => json("/clusters?format=json"),
    async listeners() {
      const { listener_statuses } = record(await json("/listeners?format=json"));
      return list(listener_statuses).map(record).map(listenerOf);
    },
    initDump: () => json("/init_dump"),
    async drainListeners({ graceful = false } = {}) {
      await call(`/drain_listeners${graceful ? "?graceful&skip_exit" : ""}`, "POST");
    },
  };
}

async function request(url: string, method: "GET" | "POST"): Promise<string> {
  const failed = (reason: string, cause?: unknown) =>
    new MeshError("envoy/failed", `Envoy's admin port does not answer ${method} ${url}: ${reason}`, { cause });
  const response = await fetch(url, { method, signal: AbortSignal.timeout(timeoutMs) }).catch((cause) => {
    throw failed(cause.cause?.message ?? cause.message, cause);
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw failed(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const text = Buffer.concat(chunks).toString();
  if (!response.ok) throw failed(`${response.status} ${text.trim().slice(0, 200)}`);
  return text;
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MeshError("envoy/failed", `Envoy's admin port answers ${path} with no JSON`, { cause });
  }
}

function listenerOf({ name, local_address }: Readonly<Record<string, unknown>>): EnvoyListener {
  const { address, port_value } = record(record(local_address)["socket_address"]);
  return {
    name: String(name),
    address: typeof address === "string" ? { host: address, port: Number(port_value ?? 0) } : undefined,
  };
}

/** Histograms and texts stand in the same list; they are no numbers. */
const numericStat = (name: unknown, value: unknown): readonly (readonly [string, number])[] =>
  typeof name === "string" && typeof value === "number" ? [[name, value]] : [];

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
