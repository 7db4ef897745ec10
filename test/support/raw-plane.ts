import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import type { TestContext } from "vitest";
import { createClientStatuses } from "../../src/app/client-statuses.ts";
import type { EnvoyAdmin } from "../../src/app/envoy/admin.ts";
import { launcherOf } from "../../src/app/envoy/launch.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createLedger } from "../../src/delivery/ledger.ts";
import { type BootstrapOptions, bootstrapFor, nodeIdOf } from "../../src/envoy/bootstrap.ts";
import type { Resource, ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypeOf } from "../../src/envoy/resource-types.ts";
import { ClientResourceStatusSchema } from "../../src/gen/envoy/admin/v3/config_dump_shared_pb.ts";
import {
  ClientStatusRequestSchema,
  ClientStatusResponseSchema,
  ConfigStatusSchema,
} from "../../src/gen/envoy/service/status/v3/csds_pb.ts";
import type { XdsOptions } from "../../src/xds/options.ts";
import type { DeliveryRecorder, SentResource } from "../../src/xds/ports.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { createCsds } from "../../src/xds/services/csds.ts";
import { createSideMetrics } from "../../src/xds/services/side-metrics.ts";
import { type EnvoyLine, envoyBinary, launchTestEnvoy, type TestEnvoy } from "./envoy.ts";
import { differencesFrom } from "./owed.ts";
import type { Variant } from "./raw-config.ts";
import { rawSet, rawTypes } from "./raw-resources.ts";
import { connectSide } from "./side-client.ts";
import { staticFeed } from "./static-feed.ts";
import { waitFor } from "./wait-for.ts";

/** The wire with a feed of a test's own, and CSDS beside it over the ledger. */
export interface RawPlane {
  readonly port: number;
  readonly set: (resources: readonly Resource[]) => void;
  /** What was set last. */
  readonly owed: () => ResourceSet;
  /** What proxies refused, a line each. */
  readonly refusals: readonly string[];
  /** What was sent, a line each. */
  readonly sends: readonly string[];
  /** Of all clients, by CSDS: `TYPE name CONFIG CLIENT` for each resource. */
  readonly states: () => Promise<readonly string[]>;
  /** Ends this server at once and starts one that knows nothing, at the same address. */
  readonly restart: () => Promise<void>;
}

type Context = Pick<TestContext, "skip" | "onTestFinished">;

export async function startRawPlane(
  context: Pick<TestContext, "onTestFinished">,
  first: readonly Resource[],
  options: Partial<XdsOptions> = {},
): Promise<RawPlane> {
  let owed = rawSet(first);
  const feed = staticFeed(owed);
  const refusals: string[] = [];
  const sends: string[] = [];
  const begin = async (port: number) => {
    const [log, metrics] = [createLog({ level: "silent", format: "json", write: () => {} }), createMetrics()];
    const ledger = createLedger({ clock: systemClock, metrics });
    const statuses = createClientStatuses(ledger, { servedTo: () => ({ resources: owed, stale: false }) });
    const csds = createCsds({ statuses, clock: systemClock, log, metrics: createSideMetrics(metrics) });
    const recorder: DeliveryRecorder = {
      ...ledger,
      sent: (stream, type, nonce, list) => {
        sends.push([type, ...list.map(sentText)].join(" "));
        ledger.sent(stream, type, nonce, list);
      },
      refused: (stream, type, nonce, reason) => {
        refusals.push(`${type}: ${reason}`);
        ledger.refused(stream, type, nonce, reason);
      },
    };
    const server = createXdsServer({
      ...{ feed, recorder, metrics, log, clock: systemClock, identifier: "test" },
      ...{ options, services: [csds] },
    });
    return { server, port: await server.listen("127.0.0.1", port) };
  };
  let running = await begin(0);
  const { port } = running;
  const client = connectSide(port);
  context.onTestFinished(() => {
    client.close();
    running.server.close();
  });
  return {
    port,
    set: (resources) => {
      owed = rawSet(resources);
      feed.set(owed);
    },
    owed: () => owed,
    refusals,
    sends,
    async states() {
      const call = client.open("/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus", {
        request: ClientStatusRequestSchema,
        answer: ClientStatusResponseSchema,
      });
      call.send({ excludeResourceContents: true });
      call.halfClose();
      const { config } = await call.next();
      return config
        .flatMap(({ genericXdsConfigs }) => genericXdsConfigs)
        .map(({ typeUrl, name, configStatus, clientStatus }) =>
          [
            ...[resourceTypeOf(typeUrl)?.short, name, ConfigStatusSchema.value[configStatus]?.name],
            ClientResourceStatusSchema.value[clientStatus]?.name,
          ].join(" "),
        );
    },
    async restart() {
      running.server.close();
      running = await begin(port);
    },
  };
}

const sentText = ({ name, version }: SentResource): string => (version === undefined ? `-${name}` : name);

export interface RawEnvoy extends TestEnvoy {
  readonly node: string;
  readonly admin: () => Promise<EnvoyAdmin>;
  /** Where a listener listens. */
  readonly urlOf: (listener: string, scheme?: "http" | "https") => Promise<string>;
}

export interface RawEnvoyOptions {
  readonly name: string;
  readonly variant: Variant;
  readonly line?: EnvoyLine;
  readonly bootstrap?: (options: BootstrapOptions) => JsonObject;
}

/** Starts an Envoy and waits until it serves: less than the 15 s that it waits for what does not come. */
export async function startRawEnvoy(
  context: Context,
  { port }: Pick<RawPlane, "port">,
  { name, variant, line, bootstrap = bootstrapFor }: RawEnvoyOptions,
): Promise<RawEnvoy> {
  const { path } = await envoyBinary(context, line);
  const node = nodeIdOf({ kind: "gateway", ip: "127.0.0.1", name, namespace: "shop", domain: "cluster.local" });
  const envoy = await launchTestEnvoy({
    cleanup: context.onTestFinished,
    // What drains keeps asking for its routes.
    launcher: launcherOf((args) => ({ command: path, args: [...args, "--drain-time-s", "1"] })),
    name,
    bootstrap: bootstrap({
      node: { id: node, cluster: `${name}.shop`, metadata: { NAMESPACE: "shop" } },
      xds: { host: "127.0.0.1", port, variant },
      admin: { host: "127.0.0.1", port: 0 },
    }),
  });
  const admin = await envoy.ready({ timeoutMs: readyMs });
  return {
    ...envoy,
    node,
    urlOf: async (wanted, scheme = "http") => {
      const found = (await admin.listeners()).find((listener) => listener.name === wanted)?.address;
      if (found === undefined) throw new Error(`${name} has no listener ${wanted}`);
      return `${scheme}://${found.host}:${found.port}/`;
    },
  };
}

const readyMs = 10_000;

/** Waits until each Envoy holds what it is owed and nothing warms, and CSDS says so of everything, and of nothing else but these lines. */
export async function everyoneIsAt(
  plane: Pick<RawPlane, "owed" | "states">,
  envoys: readonly Pick<RawEnvoy, "admin" | "name">[],
  except: readonly string[] = [],
): Promise<void> {
  await waitFor(
    async () => {
      const differences = await Promise.all(
        envoys.map(async ({ name, admin }) =>
          (await differencesFrom(plane.owed(), await admin(), rawTypes)).map((text) => `${name}: ${text}`),
        ),
      );
      const states = await plane.states();
      const others = states.filter((state) => !state.endsWith(" SYNCED ACKED"));
      const problems = [
        ...differences.flat(),
        ...Object.values(plane.owed().resources)
          .flatMap((resources) => [...resources.values()])
          .map(({ type, name }) => `${type} ${name} SYNCED ACKED`)
          .filter((state) => states.filter((one) => one === state).length < envoys.length)
          .map((state) => `not of everyone: ${state}`),
        ...others.filter((state) => !except.includes(state)),
        ...except.filter((state) => !others.includes(state)).map((state) => `not: ${state}`),
      ];
      if (problems.length > 0) throw new Error(problems.join("\n"));
      return true;
    },
    { what: "what is owed" },
  );
}

/** A server on loopback that answers everything with its name, and never closes a connection by itself. */
export async function startOrigin(context: Pick<TestContext, "onTestFinished">, name: string): Promise<number> {
  const server = createServer({ keepAliveTimeout: 0 }, (_, response) => response.end(name));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}
