import type { TypeName } from "../../src/envoy/resource-types.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Case, CaseContext, OpenOptions } from "./case.ts";
import { type Connection, type ConnectionOptions, connect } from "./client/connection.ts";
import { createLink, type Link } from "./client/link.ts";
import type { NodeFields } from "./client/request.ts";
import type { XdsStream } from "./client/stream.ts";
import { createChecks, type InvariantName } from "./invariants.ts";
import type { TypeModel } from "./model.ts";
import { createState } from "./state.ts";
import type { Change, Instance, Target } from "./targets/target.ts";
import type { Variant } from "./variants.ts";

export interface Cell {
  readonly case: Case;
  readonly variant: Variant;
  readonly type: TypeName;
  /** Unique; `ACK-04/ads-delta/CDS/a repeated NACK is met with silence`. */
  readonly id: string;
  /** Unique and short, for names and nodes. */
  readonly number: number;
}

interface Opened {
  readonly stream: XdsStream;
  readonly variant: Variant;
  readonly model: (type: TypeName) => TypeModel;
}

/** Runs one cell; rejects with the reason when the statement, or an invariant, does not hold. */
export async function runCell(target: Target, cell: Cell): Promise<void> {
  const { case: tried, variant, type } = cell;
  const { quietMs, withinMs } = target.times;
  const unchecked = new Set([...Object.keys(target.unchecked), ...Object.keys(tried.except ?? {})] as InvariantName[]);
  const state = target.can.has("state") ? createState() : undefined;
  const checks = createChecks(state, unchecked);
  const { held = false, crowd = false, limits } = tried;
  const server = await target.start({ held, crowd, ...(limits && { limits }) });
  const connections: Connection[] = [];
  const links: Link[] = [];
  const opened: Opened[] = [];

  const connectTo = (address = server.address, options: ConnectionOptions = {}): Connection => {
    const connection = connect(address, options);
    connections.push(connection);
    return connection;
  };
  let own: Connection | undefined;
  const node = nodeOf(tried, cell.number);

  const open = (options: OpenOptions = {}): XdsStream => {
    own ??= connectTo();
    const streamVariant = options.variant ?? variant;
    const watcher = checks.watch(streamVariant, tried.client ?? "envoy");
    const stream = (options.connection ?? own).open(options.type ?? type, {
      ...{ variant: streamVariant, node: options.node ?? node, autoAck: options.autoAck ?? false, watcher, withinMs },
    });
    opened.push({ stream, variant: streamVariant, model: watcher.model });
    return stream;
  };

  const change = async (next: Change): Promise<void> => {
    state?.apply(next);
    await server.change(next);
  };

  const context: CaseContext = {
    ...{ variant, type, server, node, quietMs, withinMs, open, connect: connectTo },
    otherNode: (suffix) => nodeOf(tried, cell.number, suffix),
    name: (short) => (type === "VHDS" ? `c${cell.number}/${short}` : `${short}-c${cell.number}`),
    put: (...put) => change({ put }),
    del: (...del) => change({ del }),
    change: (put, del) => change({ put, del }),
    link: async () => {
      const link = await createLink(server.address);
      links.push(link);
      return link;
    },
    replica: () => server.replica(),
    until: (what, condition) => waitFor(condition, { withinMs, what }),
  };

  try {
    await tried.run(context);
    const live = opened.filter(({ stream }) => !stream.ended);
    if (!unchecked.has("final-state")) {
      await Promise.all(live.map(({ stream }) => quietAtTheEnd(stream, quietMs)));
      checks.finish(live);
      for (const connection of connections) connection.close();
      for (const { stream } of opened) stream.cancel();
      await gaugesAtZero(target, server);
    }
    const [fault] = checks.faults;
    if (fault !== undefined) throw new Error(`invariant "${fault.invariant}": ${fault.text}`);
  } finally {
    for (const { stream } of opened) stream.cancel();
    for (const connection of connections) connection.close();
    for (const link of links) link.close();
    await server.close();
  }
}

/** A last answer of a type, and what follows from it, may cross with what the client said last. */
const mostAtTheEnd = 3;

/** What came after the case looked last is not its business, but it must end. */
async function quietAtTheEnd(stream: XdsStream, quietMs: number): Promise<void> {
  for (let left = mostAtTheEnd; left > 0; left--) {
    stream.forget();
    const isQuiet = await stream.quiet(undefined, quietMs).then(
      () => true,
      () => false,
    );
    if (isQuiet) return;
  }
  stream.forget();
  await stream.quiet(undefined, quietMs);
}

async function gaugesAtZero(target: Target, server: Instance): Promise<void> {
  if (!target.can.has("gauges")) return;
  const what = "no stream and no watch is left after closing";
  await waitFor(
    async () => {
      const { streams, watches } = await server.stats();
      if (streams + watches > 0) throw new Error(`${streams} streams, ${watches} watches`);
      return true;
    },
    { withinMs: target.times.withinMs, what },
  );
}

/** An identity that Fairway and Istio understand, and that means nothing to others. */
function nodeOf({ client = "envoy" }: Case, number: number, suffix = ""): NodeFields {
  const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  const common = { id: `sidecar~${address}~client${suffix}.suite~suite.svc.cluster.local`, cluster: "client.suite" };
  return client === "envoy"
    ? { ...common, userAgentName: "envoy", buildVersion: "1.36.4" }
    : {
        ...common,
        userAgentName: "gRPC Node Pure JS",
        buildVersion: "1.14.1",
        metadata: { GENERATOR: "grpc" },
        features: ["envoy.lb.does_not_support_overprovisioning"],
      };
}
