import fc from "fast-check";
import { expect, test } from "vitest";
import { createMetrics } from "../../src/base/metrics.ts";
import type { SentResource } from "../../src/delivery/history.ts";
import { createLedger, type Ledger } from "../../src/delivery/ledger.ts";
import { resourceState } from "../../src/delivery/resource-state.ts";
import { createStandings, standing } from "../../src/delivery/standings.ts";
import type { Resource } from "../../src/envoy/resource-set.ts";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { sidecar } from "../support/mesh.ts";

const resource = (type: TypeName, name: string, version: string): Resource => ({
  type,
  name,
  version,
  bytes: new Uint8Array(),
  references: [],
  provenance: () => [],
});

const batches = new Map<string, readonly SentResource[]>();

/** One list for the same content, as streams that are sent the same have it. */
function batchOf(list: readonly string[], version?: string): readonly SentResource[] {
  const key = `${list.join()} ${version}`;
  const batch = batches.get(key) ?? list.map((name) => ({ name, ...(version !== undefined && { version }) }));
  batches.set(key, batch);
  return batch;
}

/** One that every proxy gets all of, and one that is asked for by name. */
const types = ["CDS", "RDS"] as const;
const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
const resources = types.flatMap((type) =>
  names.flatMap((name) => [resource(type, name, "1"), resource(type, name, "2")]),
);

const newLedger = (): Ledger => createLedger({ clock: createFakeClock(), metrics: createMetrics() });
const open = (ledger: Ledger, stream: string, proxy: string, variant: "sotw" | "delta" = "delta"): void =>
  ledger.opened({ stream, node: sidecar(proxy), variant, peer: "" });

interface World {
  readonly ledger: Ledger;
  /** Open streams of each proxy, and unanswered responses, the last ones first. */
  readonly streams: Map<string, readonly string[]>;
  readonly nonces: Map<string, readonly string[]>;
  count: number;
}

type Act = (world: World) => void;

const proxy = fc.constantFrom("p", "q", "r");
const type = fc.constantFrom(...types);
const version = fc.constantFrom("1", "2", undefined);
const some = fc.subarray(names, { minLength: 1 });
const last = fc.constantFrom(0, 0, 0, 1);

const streamOf = ({ streams }: World, of: string, back: number): string => streams.get(of)?.[back] ?? "";

const send = fc.tuple(proxy, last, type, some, version).map(
  ([of, back, kind, list, sent]): Act =>
    (world) => {
      const [stream, nonce] = [streamOf(world, of, back), `n${world.count++}`];
      world.ledger.sent(stream, kind, nonce, batchOf(list, sent));
      const key = `${stream} ${kind}`;
      world.nonces.set(key, [nonce, ...(world.nonces.get(key) ?? [])]);
    },
);

const answer = fc.tuple(proxy, last, type, last, fc.boolean()).map(
  ([of, back, kind, which, ok]): Act =>
    (world) => {
      const stream = streamOf(world, of, back);
      const nonce = world.nonces.get(`${stream} ${kind}`)?.[which] ?? "";
      if (ok) world.ledger.accepted(stream, kind, nonce);
      else world.ledger.refused(stream, kind, nonce, "b is bad");
    },
);

const resumeOrDrop = fc.tuple(proxy, last, type, some, fc.boolean()).map(
  ([of, back, kind, list, drop]): Act =>
    (world) => {
      const stream = streamOf(world, of, back);
      if (drop) world.ledger.dropped(stream, kind, list);
      else world.ledger.resumed(stream, kind, batchOf(list, "1"));
    },
);

const openOne = fc.tuple(proxy, fc.constantFrom("sotw" as const, "delta" as const)).map(
  ([of, variant]): Act =>
    (world) => {
      const stream = `s${world.count++}`;
      open(world.ledger, stream, of, variant);
      world.streams.set(of, [stream, ...(world.streams.get(of) ?? [])]);
    },
);

const closeOne = fc.tuple(proxy, last).map(
  ([of, back]): Act =>
    (world) => {
      const stream = streamOf(world, of, back);
      world.ledger.closed(stream);
      world.streams.set(
        of,
        (world.streams.get(of) ?? []).filter((other) => other !== stream),
      );
    },
);

const act = fc.oneof(
  { weight: 4, arbitrary: send },
  { weight: 4, arbitrary: answer },
  { weight: 2, arbitrary: resumeOrDrop },
  { weight: 1, arbitrary: openOne },
  { weight: 1, arbitrary: closeOne },
);

test("what is remembered is what the ledger says, whatever happens on the wire", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 80, size: "max" }), fc.constantFrom(64 * 5, 1 << 20), (acts, maxBytes) => {
      const ledger = newLedger();
      const standings = createStandings(ledger, maxBytes);
      const world: World = { ledger, streams: new Map(), nonces: new Map(), count: 0 };
      for (const of of ["p", "q", "r"]) {
        open(ledger, of, of);
        world.streams.set(of, [of]);
      }
      for (const next of acts) {
        next(world);
        const proxies = ledger.connected();
        const look = standings.of(proxies);
        for (const one of resources) {
          expect([...look(one)]).toEqual(
            proxies.map(({ receipt }) => standing[resourceState(one, receipt(one.type, one.name)) ?? "unasked"]),
          );
        }
      }
    }),
  );
});

test("refusals that differ only in who is to blame, or in the version", () => {
  const ledger = newLedger();
  open(ledger, "p", "p");
  const standings = createStandings(ledger);
  const [first, second, other] = [resource("CDS", "a", "1"), resource("CDS", "a", "2"), resource("CDS", "b", "1")];
  const told = () => [first, second].map((one) => standings.of(ledger.connected())(one)[0]);
  ledger.sent("p", "CDS", "n1", [first, other]);
  ledger.refused("p", "CDS", "n1", "b is bad");
  expect(told()).toEqual([standing.pending, standing.pending]);
  ledger.sent("p", "CDS", "n2", [first]);
  ledger.sent("p", "CDS", "n3", [second]);
  expect(told()).toEqual([standing.pending, standing.pending]);
  ledger.refused("p", "CDS", "n2", "a is bad");
  expect(told()).toEqual([standing.refused, standing.pending]);
  ledger.refused("p", "CDS", "n3", "a is bad");
  expect(told()).toEqual([standing.pending, standing.refused]);
});

test("more proxies than there was room for, and those that come after others left", () => {
  const ledger = newLedger();
  const standings = createStandings(ledger);
  const cluster = resource("CDS", "a", "1");
  const accept = (stream: string): void => {
    ledger.sent(stream, "CDS", stream, [cluster]);
    ledger.accepted(stream, "CDS", stream);
  };
  const accepted = (): number =>
    standings
      .of(ledger.connected())(cluster)
      .filter((one) => one === standing.accepted).length;
  for (let i = 0; i < 200; i++) {
    open(ledger, `s${i}`, `p${i}`);
    if (i % 2 === 0) accept(`s${i}`);
    if (i % 40 === 0) expect(accepted()).toBe(i / 2 + 1);
  }
  expect(accepted()).toBe(100);
  for (let i = 0; i < 50; i++) ledger.closed(`s${i}`);
  for (let i = 200; i < 260; i++) open(ledger, `s${i}`, `p${i}`);
  expect(accepted()).toBe(75);
});

test("only what moved is looked up again", () => {
  const ledger = newLedger();
  for (const of of ["p", "q"]) open(ledger, of, of);
  const standings = createStandings(ledger);
  let lookUps = 0;
  const look = () => {
    lookUps = 0;
    const counted = ledger.connected().map((each) => ({
      ...each,
      receipt: (...args: Parameters<typeof each.receipt>) => {
        lookUps++;
        return each.receipt(...args);
      },
    }));
    for (const one of resources) standings.of(counted)(one);
    return lookUps;
  };
  // Both were sent nothing so far: one speaks for both.
  expect(look()).toBe(resources.length);
  expect(look()).toBe(0);
  ledger.sent("p", "CDS", "n", [resource("CDS", "a", "1")]);
  expect(look()).toBe(2);
  ledger.accepted("p", "CDS", "n");
  expect(look()).toBe(2);
  ledger.sent("p", "CDS", "m", [resource("CDS", "a", "1")]);
  ledger.accepted("p", "CDS", "m");
  expect(look()).toBe(0);
  ledger.closed("q");
  open(ledger, "r", "r");
  expect(look()).toBe(resources.length);
});

test("who was sent the same and said the same is looked up once, however much it is", () => {
  const ledger = newLedger();
  const proxies = Array.from({ length: 100 }, (_, i) => `p${i}`);
  for (const of of proxies) open(ledger, of, of);
  const standings = createStandings(ledger);
  const clusters = Array.from({ length: 50 }, (_, i) => resource("CDS", `c${i}`, "1"));
  const all = batchOf(
    clusters.map(({ name }) => name),
    "1",
  );
  for (const of of proxies) ledger.sent(of, "CDS", "n", all);
  for (const of of proxies.slice(1)) ledger.accepted(of, "CDS", "n");
  let lookUps = 0;
  const counted = ledger.connected().map((each) => ({
    ...each,
    receipt: (...args: Parameters<typeof each.receipt>) => {
      lookUps++;
      return each.receipt(...args);
    },
  }));
  const look = standings.of(counted);
  for (const one of clusters)
    expect([...look(one)].toSorted()).toEqual([...Array(99).fill(standing.accepted), standing.pending]);
  expect(lookUps).toBe(2 * clusters.length);
});
