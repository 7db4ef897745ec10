import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { type ConnectionSocket, createConnections } from "../../src/xds/connections.ts";
import type { Http2Session } from "../../src/xds/keepalive.ts";
import { createXdsMetrics } from "../../src/xds/metrics.ts";
import { createStallWatch } from "../../src/xds/stall-watch.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const options = {
  maxConnections: 2,
  maxConnectionBytes: 100,
  stallMs: 1_000,
  maxConnectionAgeMs: 10_000,
  keepaliveIntervalMs: 500,
  keepaliveTimeoutMs: 2_000,
};

class FakeSocket extends EventEmitter {
  remoteAddress: string | undefined = "10.0.0.1";
  remotePort: number;
  destroyed = false;
  bytesRead = 0;
  bytesWritten = 0;

  constructor(port: number) {
    super();
    this.remotePort = port;
  }

  destroy(): this {
    this.destroyed = true;
    this.emit("close");
    return this;
  }
}

/** Answers pings when it is told to; closing it closes nothing else. */
class FakeSession {
  readonly said: string[] = [];
  closed = false;
  answer: (error?: Error) => void = () => {};

  readonly ping = ((done: (error: Error | null) => void) => {
    this.said.push("ping");
    this.answer = (error) => done(error ?? null);
    return true;
  }) as Http2Session["ping"];

  close(): void {
    this.said.push("goaway");
    this.closed = true;
  }
}

function start() {
  const clock = createFakeClock();
  const registry = createMetrics();
  let freed = 0;
  const connections = createConnections({
    clock,
    log: createLog({ level: "silent", format: "json", write: () => {} }),
    metrics: createXdsMetrics(registry),
    options,
    onFreed: () => freed++,
  });
  const connect = (port: number) => {
    const socket = new FakeSocket(port);
    const connection = connections.accept(socket as unknown as ConnectionSocket);
    const stream = () => {
      const said: (boolean | "aged")[] = [];
      const bytes = connection?.open({ room: (room) => said.push(room), aged: () => said.push("aged") });
      if (bytes === undefined) throw new Error("not connected");
      return { bytes, said };
    };
    return { socket, connection, stream };
  };
  const metric = async (name: string): Promise<string | undefined> =>
    (await registry.expose()).text
      .split("\n")
      .find((line) => line.startsWith(`fairway_xds_${name}`))
      ?.slice("fairway_xds_".length);
  return { clock, connections, connect, metric, freed: () => freed };
}

describe("bytes that wait", () => {
  test("room ends above the budget and begins again at half of it, for every stream of the connection and no other", () => {
    const { connections, connect } = start();
    const one = connect(1);
    const [a, b, other] = [one.stream(), one.stream(), connect(2).stream()];
    const leaves = [60, 40, 20].map((count) => a.bytes.given(count));
    expect([a.said, b.said, other.said]).toEqual([[false], [false], []]);
    expect([b.bytes.hasRoom(), other.bytes.hasRoom()]).toEqual([false, true]);
    leaves[2]?.();
    leaves[1]?.();
    expect(b.said).toEqual([false]);
    leaves[0]?.();
    expect([a.said, b.said]).toEqual([
      [false, true],
      [false, true],
    ]);
    expect(connections.bytesInFlight()).toBe(0);
  });

  test("a stream that fills the room as soon as it is there leaves none to the others, and they know", () => {
    const { connection } = start().connect(1);
    if (connection === undefined) throw new Error("not connected");
    const said: boolean[] = [];
    const greedy = connection.open({
      room: (room) => {
        if (room) greedy.given(200);
      },
      aged: () => {},
    });
    const other = connection.open({ room: (room) => said.push(room), aged: () => {} });
    const left = other.given(150);
    left();
    expect(said).toEqual([false, false]);
    expect(other.hasRoom()).toBe(false);
  });

  test("what waited for a stream that is gone waits no more, and is counted once", async () => {
    const { clock, connections, connect, freed, metric } = start();
    const [a, b] = [connect(1), connect(2)].map(({ stream }) => stream());
    const left = a?.bytes.given(150);
    b?.bytes.given(10);
    expect(await metric("bytes_in_flight")).toBe("bytes_in_flight 160");
    expect(freed()).toBe(0);
    a?.bytes.close();
    left?.();
    expect(connections.bytesInFlight()).toBe(10);
    expect(await metric("bytes_in_flight")).toBe("bytes_in_flight 10");
    expect(freed()).toBe(1);
    b?.bytes.close();
    connections.destroyAll();
    expect(clock.pending()).toBe(0);
  });
});

describe("a connection that takes nothing", () => {
  test("is closed, and others are not", async () => {
    const { clock, connect, metric } = start();
    const [stuck, living] = [connect(1), connect(2)];
    stuck.stream().bytes.given(10);
    const { bytes } = living.stream();
    bytes.given(10);
    for (let i = 0; i < 8; i++) {
      clock.advance(200);
      bytes.given(10)();
    }
    expect([stuck.socket.destroyed, living.socket.destroyed]).toEqual([true, false]);
    expect(await metric("stalled_connections_total")).toBe("stalled_connections_total 1");
    expect(await metric("connections")).toBe("connections 1");
  });

  test.each([
    ["nothing leaves", () => 0, 1_000],
    ["only pings leave", (nowMs: number) => nowMs, 1_000],
    ["a long response leaves slowly", (nowMs: number) => nowMs * 5, undefined],
    ["it takes a little, and then nothing", (nowMs: number) => Math.min(nowMs, 300) * 5, 1_250],
  ])("%s", (_, written, stalledMs) => {
    const clock = createFakeClock();
    let at: number | undefined;
    const watch = createStallWatch({
      clock,
      stallMs: 1_000,
      written: () => written(clock.monotonic()),
      onStall: () => {
        at = clock.monotonic();
      },
    });
    watch.waits();
    clock.advance(10_000);
    expect(at).toBe(stalledMs);
    watch.close();
    expect(clock.pending()).toBe(0);
  });

  test("nothing waits, so nothing stalls; what waits later begins anew", () => {
    const clock = createFakeClock();
    const stalls: number[] = [];
    const watch = createStallWatch({
      clock,
      stallMs: 1_000,
      written: () => 0,
      onStall: () => stalls.push(clock.monotonic()),
    });
    watch.waits();
    clock.advance(900);
    watch.left();
    clock.advance(900);
    watch.idle();
    clock.advance(10_000);
    watch.waits();
    clock.advance(999);
    expect(stalls).toEqual([]);
    clock.advance(1);
    expect(stalls).toEqual([12_800]);
  });
});

test("how much was heard", () => {
  const { socket, connection } = start().connect(1);
  expect(connection?.heard()).toBe(0);
  socket.bytesRead = 17;
  expect(connection?.heard()).toBe(17);
});

describe("FLW-05 at its age", () => {
  test("a connection's peer is told to go, and then its streams are; spread", () => {
    const ages = Array.from({ length: 40 }, () => {
      const { clock, connect } = start();
      const one = connect(1);
      const session = new FakeSession();
      one.connection?.speaks(session);
      const { said } = one.stream();
      while (said.length === 0) {
        clock.advance(100);
        session.answer();
      }
      expect(session.said.filter((word) => word !== "ping")).toEqual(["goaway"]);
      expect(one.socket.destroyed).toBe(false);
      return clock.monotonic();
    });
    expect(Math.min(...ages)).toBeGreaterThan(8_900);
    expect(Math.max(...ages)).toBeLessThan(11_100);
    expect(new Set(ages).size).toBeGreaterThan(5);
  });

  test("who does not go is cut off", () => {
    const { clock, connect } = start();
    const { socket, connection } = connect(1);
    const session = new FakeSession();
    connection?.speaks(session);
    while (!session.closed) {
      clock.advance(100);
      session.answer();
    }
    clock.advance(5_900);
    expect(socket.destroyed).toBe(false);
    clock.advance(100);
    expect(socket.destroyed).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  test("a connection on which nobody ever spoke is just closed", () => {
    const { clock, connect } = start();
    const { socket } = connect(1);
    clock.advance(11_100);
    expect(socket.destroyed).toBe(true);
  });
});

describe("FLW-04 pings", () => {
  function speaking() {
    const { clock, connect } = start();
    const { socket, connection } = connect(1);
    const session = new FakeSession();
    connection?.speaks(session);
    return { clock, socket, session };
  }

  test("go out after an answer and a while", () => {
    const { clock, session } = speaking();
    clock.advance(499);
    expect(session.said).toEqual([]);
    clock.advance(1);
    clock.advance(1_000);
    expect(session.said).toEqual(["ping"]);
    session.answer();
    clock.advance(500);
    expect(session.said).toEqual(["ping", "ping"]);
  });

  test("who does not answer in time is dead", () => {
    const { clock, socket } = speaking();
    clock.advance(500);
    clock.advance(1_999);
    expect(socket.destroyed).toBe(false);
    clock.advance(1);
    expect(socket.destroyed).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  test("who answers while this process stands still is not dead: the answer is read after the timers", () => {
    const { clock, socket, session } = speaking();
    clock.advance(500);
    clock.standStill(3_000);
    clock.advance(0);
    expect(socket.destroyed).toBe(false);
    session.answer();
    clock.advance(500);
    expect(session.said).toEqual(["ping", "ping"]);
    clock.advance(2_000);
    expect(socket.destroyed).toBe(true);
  });

  test("after a GOAWAY of either side there are none, and none is missed", () => {
    for (const pings of [0, 1]) {
      const { clock, socket, session } = speaking();
      clock.advance(pings * 500);
      session.closed = true;
      session.answer(new Error("cancelled"));
      clock.advance(5_000);
      expect([session.said.length, socket.destroyed]).toEqual([pings, false]);
    }
  });
});

describe("too many", () => {
  test("connections: closed at once, and served again when others are gone", async () => {
    const { connect, metric } = start();
    const [first] = [connect(1), connect(2)];
    expect(connect(3).connection).toBeUndefined();
    expect(await metric("turned_away_total")).toBe('turned_away_total{limit="connections"} 1');
    first.socket.destroy();
    expect(connect(4).connection).toBeDefined();
  });

  test("a socket that is gone before it is ours", () => {
    const { connections } = start();
    const socket = new FakeSocket(1);
    socket.remoteAddress = undefined;
    expect(connections.accept(socket as unknown as ConnectionSocket)).toBeUndefined();
  });
});

test("empty, now or later", async () => {
  const { connections, connect } = start();
  await connections.empty();
  const both = [connect(1), connect(2)];
  let empty = false;
  const waits = connections.empty().then(() => {
    empty = true;
  });
  both[0]?.socket.destroy();
  await Promise.resolve();
  expect(empty).toBe(false);
  both[1]?.socket.destroy();
  await waits;
  expect(empty).toBe(true);
});
