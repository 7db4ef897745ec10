import { readdirSync, readFileSync } from "node:fs";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import { parse } from "yaml";
import { type Listener, readListener } from "../../src/envoy/listener-messages.ts";
import { asSeenBy, type Connection } from "../../src/explain/connection.ts";
import { chooseChain } from "../../src/explain/filter-chain.ts";
import { type EnvoyLine, envoyBinary, envoyLines } from "../support/envoy.ts";
import { announceSeed, fuzzCount, fuzzSeed } from "../support/fuzz.ts";
import { createRandom } from "../support/random.ts";
import { withCleanup } from "../support/with-cleanup.ts";
import { type AskedListeners, answering, askedListeners, listenerWith, proxyProtocol } from "./asked-listeners.ts";
import { matchFields, type RandomListener, randomListener } from "./random-listener.ts";

/*
 * The choice of filter chains beside a real Envoy: random listeners, and connections near the edges of what their chains ask for. The
 * golden cases are what is easily told otherwise than Envoy does, each as small as it can be.
 */

const connectionsPerListener = 10;
const listenersPerEnvoy = 100;

const defaultChain = { default_filter_chain: answering({ name: "default" }) };

/** The name of the chain; empty when the connection is closed. */
function answerTo(listener: Listener, connection: Connection): string {
  const { outcome } = chooseChain(listener, asSeenBy(listener, connection));
  return outcome.kind === "none" ? "" : outcome.chain.name;
}

/** A listener, and for each criterion the same without it in any chain. */
interface Variants {
  readonly listener: Listener;
  readonly without: ReadonlyMap<string, Listener>;
}

function variantsOf(json: JsonObject, chains: readonly JsonObject[]): Variants {
  const without = (field: string): JsonObject => ({
    ...json,
    filter_chains: chains.map(({ name, filter_chain_match: match }) => {
      const { [field]: _, ...rest } = match as JsonObject;
      return answering({ name: String(name), filter_chain_match: rest });
    }),
  });
  return {
    listener: readListener(json),
    without: new Map(matchFields.map((field) => [field, readListener(without(field))])),
  };
}

interface Tally {
  cases: number;
  readonly answers: Map<string, number>;
  readonly deciders: Map<string, number>;
}

const count = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);

interface Batched extends RandomListener {
  readonly name: string;
  readonly json: JsonObject;
}

async function compare(context: TestContext, line: EnvoyLine, listeners: number, tally: Tally): Promise<void> {
  const binary = await envoyBinary(context, line);
  const random = createRandom(fuzzSeed + envoyLines.indexOf(line));
  for (let done = 0; done < listeners; done += listenersPerEnvoy) {
    const batch = Array.from({ length: Math.min(listenersPerEnvoy, listeners - done) }, (_, index): Batched => {
      const name = `l${index}`;
      const made = randomListener(random);
      const more = { listener_filters: [...made.filters], ...(made.withDefault && defaultChain) };
      return { ...made, name, json: listenerWith(name, made.chains, more) };
    });
    await withCleanup(async (cleanup) => {
      const all = batch.map(({ json }) => json);
      await compareBatch(await askedListeners(binary, all, cleanup), batch, tally);
    });
  }
}

async function compareBatch(envoy: AskedListeners, batch: readonly Batched[], tally: Tally): Promise<void> {
  let chainless = 0;
  for (const { name, json, chains, connections } of batch) {
    const { listener, without } = variantsOf(json, chains);
    for (const connection of connections(connectionsPerListener)) {
      const here = answerTo(listener, connection);
      const there = await envoy.ask(name, connection);
      if (here !== there) throw new Error(disagreement(json, connection, here, there));
      tally.cases++;
      if (here === "") chainless++;
      count(tally.answers, here.replace(/^c[0-9]+$/, "chain"));
      // Had nobody asked for it, the outcome had been another.
      for (const [field, other] of without) if (answerTo(other, connection) !== here) count(tally.deciders, field);
    }
  }
  // What is closed was closed for want of a chain, not of anything else.
  expect(await envoy.chainless()).toBe(chainless);
}

const disagreement = (
  { filter_chains: chains, listener_filters: filters }: JsonObject,
  connection: Connection,
  here: string,
  there: string,
): string =>
  [
    JSON.stringify(connection),
    `Envoy: ${there || "closed"}; here: ${here || "closed"}`,
    JSON.stringify(filters),
    ...(chains as readonly JsonObject[]).map(({ filters: _, ...chain }) => JSON.stringify(chain)),
  ].join("\n");

describe.each(envoyLines)("Envoy %s", (line) => {
  test("chooses the filter chain for every connection as the matcher does", { timeout: 1_800_000 }, async (context) => {
    const listeners = fuzzCount(10_000);
    announceSeed("connections to random listeners", listeners * connectionsPerListener);
    const tally: Tally = { cases: 0, answers: new Map(), deciders: new Map() };
    await compare(context, line, listeners, tally);
    const share = (counts: ReadonlyMap<string, number>, name: string): number => (counts.get(name) ?? 0) / tally.cases;
    const percent = (part: number): string => `${(100 * part).toFixed(1).padStart(5)} %`;
    for (const name of ["chain", "default", ""])
      console.info(`${percent(share(tally.answers, name))}  ${name || "closed"}`);
    for (const field of matchFields) console.info(`${percent(share(tally.deciders, field))}  decided by ${field}`);
    expect(tally.cases).toBe(listeners * connectionsPerListener);
    for (const name of ["chain", "default", ""]) expect(share(tally.answers, name)).toBeGreaterThan(0.05);
    const rare = matchFields.filter((field) => share(tally.deciders, field) < 0.01);
    expect(rare, "decided less than one case in a hundred").toEqual([]);
  });
});

interface Golden {
  readonly what: string;
  readonly chains: readonly JsonObject[];
  /** Listener filters; all that matter unless said otherwise. */
  readonly filters?: readonly JsonObject[];
  readonly cases: readonly {
    readonly connection: Partial<Connection>;
    readonly answers: Readonly<Record<EnvoyLine, string>>;
  }[];
}

const folder = new URL("golden-chains/", import.meta.url);
const goldens = readdirSync(folder).map((file) => {
  const golden = parse(readFileSync(new URL(file, folder), "utf8")) as Golden;
  const name = file.replace(".yaml", "");
  const { chains, filters, cases } = golden;
  const more = filters === undefined ? {} : { listener_filters: [proxyProtocol, ...filters] };
  return { name, json: listenerWith(name, chains, { ...defaultChain, ...more }), cases };
});

const whole = (connection: Partial<Connection>): Connection => ({
  destination: { address: "10.0.0.1", port: 80 },
  source: { address: "10.9.9.9", port: 1000 },
  directSource: "127.0.0.1",
  transportProtocol: "serverName" in connection ? "tls" : "raw_buffer",
  applicationProtocols: [],
  ...connection,
});

describe.each(envoyLines)("golden filter chains, Envoy %s", (line) => {
  const cleanups: (() => Promise<void>)[] = [];
  let envoy: Promise<AskedListeners> | undefined;
  const started = async (context: TestContext): Promise<AskedListeners> => {
    const binary = await envoyBinary(context, line);
    const listeners = goldens.map(({ json }) => json);
    envoy ??= askedListeners(binary, listeners, (task) => cleanups.push(task));
    return envoy;
  };
  afterAll(async () => {
    for (const task of cleanups.reverse()) await task();
  });

  test.for(goldens)("$name", async ({ name, json, cases }, context) => {
    const asking = await started(context);
    const listener = readListener(json);
    for (const { connection, answers } of cases) {
      const asked = whole(connection);
      const here = answerTo(listener, asked);
      const there = await asking.ask(name, asked);
      expect({ connection, here, there }).toEqual({ connection, here: answers[line], there: answers[line] });
    }
  });
});
