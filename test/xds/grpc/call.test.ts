import { once } from "node:events";
import { type ClientHttp2Stream, constants } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { CallListener, GrpcCall, ServeCall } from "../../../src/xds/grpc/call.ts";
import { frame } from "../../../src/xds/grpc/framing.ts";
import { createGrpcServer, type GrpcConnection } from "../../../src/xds/grpc/server.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { connectRough, framed } from "../../support/rough-peer.ts";
import { waitFor } from "../../support/wait-for.ts";

const path = "/test.Service/Method";
const maxRequestBytes = 100_000;

/** A server of one method, on whose calls everything that is heard is written down. */
async function serve(listen: (call: GrpcCall) => Partial<CallListener> = () => ({})) {
  const clock = createFakeClock();
  const heard: string[] = [];
  const method: ServeCall = (call) => {
    const own = listen(call);
    return {
      receive: (request) => {
        heard.push(request.length > 20 ? `${request.length} bytes` : request.toString());
        own.receive?.(request);
      },
      halfClosed: () => {
        heard.push("half-closed");
        own.halfClosed?.();
      },
      gone: () => {
        heard.push("gone");
        own.gone?.();
      },
    };
  };
  const methods = new Map([[path, method]]);
  const speak = createGrpcServer<GrpcConnection>({ clock, methods, maxRequestBytes, maxStreamsPerConnection: 100 });
  const sockets: Socket[] = [];
  const listener = createServer((socket) => {
    sockets.push(socket);
    speak(socket, { peer: "somebody" });
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  const peer = connectRough((listener.address() as AddressInfo).port);
  return { clock, heard, peer, open: (headers = {}, at = path) => peer.open(at, headers) };
}

/** The trailers of a call, and its head. */
async function headersOf(stream: ReturnType<Awaited<ReturnType<typeof serve>>["open"]>["stream"]) {
  let found: Record<string, unknown> = {};
  const add = (headers: object): void => {
    found = { ...found, ...headers };
  };
  stream.on("response", add).on("trailers", add);
  await once(stream, "close");
  return found;
}

/** RST_STREAM with NO_ERROR, without an end of the requests before it: more than Node's own `close` does. */
function reset(stream: ClientHttp2Stream): void {
  const [handle] = Object.getOwnPropertySymbols(stream).flatMap((symbol) => {
    const value: unknown = Reflect.get(stream, symbol);
    return typeof value === "object" && value !== null && "rstStream" in value ? [value] : [];
  });
  (handle as { rstStream: (code: number) => void }).rstStream(constants.NGHTTP2_NO_ERROR);
}

const echo = (call: GrpcCall): Partial<CallListener> => ({
  receive: (request) => call.write(frame(request)),
  halfClosed: () => call.end("OK"),
});

describe("a call", () => {
  test("gives requests in their order, then the end of them, and says its status last", async () => {
    const { heard, open } = await serve(echo);
    const { stream, send, ended, messages } = open();
    send(Buffer.from("one"), Buffer.from(""), Buffer.from("two"));
    stream.end();
    expect(await ended).toBe("OK");
    expect(messages.map(String)).toEqual(["one", "", "two"]);
    await waitFor(() => heard.includes("gone"));
    expect(heard).toEqual(["one", "", "two", "half-closed", "gone"]);
  });

  test("a status without an answer, with words that headers cannot carry as they are, and no more of them than fit", async () => {
    const { open } = await serve((call) => {
      call.end("NOT_FOUND", `no “é” 50%\n${"x".repeat(10_000)}`);
      call.end("INTERNAL", "too late");
      return {};
    });
    const { stream } = open();
    const headers = await headersOf(stream);
    expect(headers).toMatchObject({ ":status": 200, "content-type": "application/grpc", "grpc-status": "5" });
    expect(decodeURIComponent(String(headers["grpc-message"]))).toMatch(/^no “é” 50%\nx{700,}$/);
  });

  test("a method that nobody serves, and what is no gRPC", async () => {
    const { open } = await serve();
    expect(await open({}, "/test.Service/Other").ended).toBe("UNIMPLEMENTED");
    expect((await headersOf(open({ "content-type": "application/json" }).stream))[":status"]).toBe(415);
    expect((await headersOf(open({ "content-type": "application/grpcish" }).stream))[":status"]).toBe(415);
    const proto = open({ "content-type": "application/grpc+proto" }, "/test.Service/Other");
    expect(await proto.ended).toBe("UNIMPLEMENTED");
  });

  test("nothing is written once its status is said, and nothing fails", async () => {
    const left: string[] = [];
    const { open, heard } = await serve((call) => ({
      receive: () => {
        call.write(frame(Buffer.from("before")), () => left.push("before"));
        call.end("OK");
        call.write(frame(Buffer.from("after")), () => left.push("after"));
      },
    }));
    const { send, ended, messages } = open();
    send(Buffer.from("go"), Buffer.from("dropped"));
    expect(await ended).toBe("OK");
    expect([messages.map(String), left]).toEqual([["before"], ["before"]]);
    await waitFor(() => heard.includes("gone"));
    expect(heard).toEqual(["go", "gone"]);
  });

  test("who knows its status and leaves its side open is reset after a while", async () => {
    const { clock, heard, peer } = await serve((call) => {
      call.end("UNAVAILABLE", "later");
      return {};
    });
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc" };
    const stream = peer.session.request(headers, { endStream: false });
    stream.on("error", () => {}).resume();
    await once(stream, "end");
    expect(heard).toEqual([]);
    clock.advance(10_000);
    await once(stream, "close");
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual(["gone"]);
    await waitFor(() => clock.pending() === 0);
  });

  test("a client that is cut off is gone, once, and has not said that this was all", async () => {
    const { heard, open, peer, clock } = await serve();
    const { send } = open({ "grpc-timeout": "1H" });
    send(Buffer.from("one"));
    await waitFor(() => heard.length === 1);
    peer.socket.destroy();
    await waitFor(() => heard.length > 1);
    expect(heard).toEqual(["one", "gone"]);
    expect(clock.pending()).toBe(0);
  });

  // Envoy resets what it needs no more so; Node takes that for an end in order, and tells of it when all is read.
  test.each([
    ["at once", (call: GrpcCall) => ({ receive: () => call.write(frame(Buffer.from("answer"))) })],
    ["that is paused", (call: GrpcCall) => ({ receive: () => call.pause() })],
    ["with answers on their way", (call: GrpcCall) => ({ receive: () => call.write(frame(Buffer.alloc(1_000_000))) })],
    [
      "with a status on its way",
      (call: GrpcCall) => ({
        receive: () => {
          call.write(frame(Buffer.alloc(1_000_000)));
          call.end("OK");
        },
      }),
    ],
  ])("a reset without an error ends a call %s", async (_, listen) => {
    const { heard, peer } = await serve(listen);
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc" };
    const streams = Array.from({ length: 20 }, () => peer.session.request(headers, { endStream: false }));
    for (const stream of streams) {
      stream.on("error", () => {}).pause();
      stream.write(Buffer.concat([framed(Buffer.from("one")), framed(Buffer.from("two"))]));
    }
    await waitFor(() => heard.length >= 20);
    for (const stream of streams) reset(stream);
    await waitFor(() => heard.filter((word) => word === "gone").length === 20);
    expect(heard).not.toContain("half-closed");
  });

  test("a reset while its requests wait drops them", async () => {
    const { heard, open } = await serve((call) => ({ receive: () => call.pause() }));
    const { stream, send } = open();
    send(Buffer.from("one"), Buffer.from("two"));
    await waitFor(() => heard.length === 1);
    stream.close(constants.NGHTTP2_CANCEL);
    await waitFor(() => heard.length > 1);
    expect(heard).toEqual(["one", "gone"]);
  });
});

describe("the pace", () => {
  test("while it is paused nothing is given, not even the end; then all, in its order", async () => {
    let served: GrpcCall | undefined;
    const { heard, open } = await serve((call) => {
      served = call;
      return { receive: () => call.pause(), halfClosed: () => call.end("OK") };
    });
    const { send, stream, ended } = open();
    send(...["one", "two", "three"].map((text) => Buffer.from(text)));
    stream.end();
    for (let count = 1; count <= 3; count++) {
      await waitFor(() => heard.length === count);
      // Whatever would come by mistake has the time to come.
      await new Promise((resolve) => setImmediate(resolve));
      expect(heard).toHaveLength(count);
      served?.resume();
    }
    expect(await ended).toBe("OK");
    expect(heard.slice(0, 4)).toEqual(["one", "two", "three", "half-closed"]);
  });

  test("a paused call takes no more than HTTP/2's window", async () => {
    const { heard, open } = await serve((call) => {
      call.pause();
      return {};
    });
    const { stream } = open();
    for (let i = 0; i < 50; i++) stream.write(framed(Buffer.alloc(10_000)));
    await waitFor(() => (stream.session?.state.remoteWindowSize ?? 1) < 10_000);
    expect(heard).toEqual([]);
  });

  test("pausing and going on within a request changes nothing", async () => {
    const { heard, open } = await serve((call) => ({
      receive: () => {
        call.pause();
        call.resume();
      },
      halfClosed: () => call.end("OK"),
    }));
    const { send, stream, ended } = open();
    const words = Array.from({ length: 100 }, (_, i) => `${i}`);
    send(...words.map((word) => Buffer.from(word)));
    stream.end();
    expect(await ended).toBe("OK");
    expect(heard.slice(0, 101)).toEqual([...words, "half-closed"]);
  });
});

describe("what ends a call that is served", () => {
  test.each<[string, Buffer, string]>([
    ["a request that is too long", Buffer.from("00ffffffff", "hex"), "RESOURCE_EXHAUSTED"],
    ["a mark that gRPC does not know", Buffer.from("0200000000", "hex"), "INTERNAL"],
    ["the end within a message", Buffer.from("000000000561", "hex"), "INTERNAL"],
    ["a compressed request that names no compression", Buffer.from("010000000161", "hex"), "UNIMPLEMENTED"],
  ])("%s, though answers are under way: they are dropped, the status is said", async (_, bytes, status) => {
    let served: GrpcCall | undefined;
    const { heard, open } = await serve((call) => {
      served = call;
      return { ...echo(call), gone: () => call.write(frame(Buffer.from("never"))) };
    });
    const { send, stream, ended, messages, came } = open();
    send(Buffer.from("one"));
    await came(1);
    stream.end(bytes);
    expect(await ended).toBe(status);
    served?.write(frame(Buffer.from("never")));
    expect(messages.map(String)).toEqual(["one"]);
    expect(heard).toEqual(["one", "gone"]);
  });

  test("its deadline, and a deadline that is none", async () => {
    const { clock, heard, open } = await serve();
    const late = open({ "grpc-timeout": "2S" });
    late.send(Buffer.from("one"));
    await waitFor(() => heard.length === 1);
    clock.advance(2_000);
    expect(await late.ended).toBe("DEADLINE_EXCEEDED");
    expect(heard).toEqual(["one", "gone"]);
    expect(await open({ "grpc-timeout": "soon" }).ended).toBe("INTERNAL");
    expect(heard).toHaveLength(2);
  });
});

describe("compression", () => {
  const compressed = (bytes: Buffer): Buffer => {
    const whole = framed(bytes);
    whole.writeUInt8(1, 0);
    return whole;
  };

  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
  ])("%s requests come as they were, in their order among others", async (encoding, compress) => {
    const { heard, open } = await serve(echo);
    const { stream, ended } = open({ "grpc-encoding": encoding });
    stream.write(compressed(compress(Buffer.from("one"))));
    stream.write(framed(Buffer.from("two")));
    stream.end(compressed(compress(Buffer.from("three"))));
    expect(await ended).toBe("OK");
    expect(heard.slice(0, 4)).toEqual(["one", "two", "three", "half-closed"]);
  });

  test.each<[string, string, Buffer, string]>([
    ["bytes that cannot be decompressed", "gzip", Buffer.from("no"), "INTERNAL"],
    ["more than is accepted, out of little", "gzip", gzipSync(Buffer.alloc(maxRequestBytes + 1)), "RESOURCE_EXHAUSTED"],
    ["a compression that nobody knows", "zopfli", gzipSync(Buffer.from("one")), "UNIMPLEMENTED"],
    ["one with the name of what every object has", "constructor", gzipSync(Buffer.from("one")), "UNIMPLEMENTED"],
  ])("%s", async (_, encoding, bytes, status) => {
    const { heard, open } = await serve(echo);
    const { stream } = open({ "grpc-encoding": encoding });
    stream.end(compressed(bytes));
    const headers = await headersOf(stream);
    const names = { UNIMPLEMENTED: "12", INTERNAL: "13", RESOURCE_EXHAUSTED: "8" };
    expect(headers["grpc-status"]).toBe(names[status as keyof typeof names]);
    // Tells a client what it may use.
    expect(headers["grpc-accept-encoding"]).toBe("identity,gzip,deflate");
    expect(heard).toEqual(["gone"]);
  });

  test("a client that leaves meanwhile is gone, and nothing comes of it", async () => {
    const { heard, open } = await serve(echo);
    const { stream } = open({ "grpc-encoding": "gzip" });
    stream.write(compressed(gzipSync(Buffer.alloc(maxRequestBytes))));
    stream.write(framed(Buffer.from("two")), () => stream.close(constants.NGHTTP2_CANCEL));
    await waitFor(() => heard.includes("gone"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(heard.at(-1)).toBe("gone");
  });
});
