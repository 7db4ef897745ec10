import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { maxErrorLength, maxNameLength, maxNamesPerRequest } from "../../src/envoy/discovery-request.ts";
import { defaultXdsOptions } from "../../src/xds/options.ts";
import { pageAt } from "../docs/pages.ts";
import { waitFor } from "../support/wait-for.ts";
import { wireSet } from "../support/wire-resources.ts";
import { node, old, startServer } from "./live-server.ts";
import { adsPath, connectRaw, framed, requestBytes } from "./raw-peer.ts";

const mebibyte = 1024 * 1024;

/** A default as the page shows it. */
function shown(option: string, value: number): string {
  if (option.includes("Bytes")) return `${value / mebibyte} MiB`;
  if (!option.endsWith("Ms")) return String(value).replace(/\B(?=(\d{3})+$)/g, " ");
  return value > 60_000 ? `${value / 60_000} min` : `${value / 1_000} s`;
}

describe("docs/limits.md", () => {
  const rows = [...pageAt("docs/limits.md").text.matchAll(/^\|[^|]+\| `(\w+)` \| ([^|]+) \|/gm)].map(
    ([, option = "", value = ""]) => ({ option, value }),
  );
  const limits = { ...defaultXdsOptions, maxNamesPerRequest, maxNameLength, maxErrorLength };

  test("it has every option, and no other", () => {
    expect([...new Set(rows.map(({ option }) => option))].sort()).toEqual(Object.keys(limits).sort());
  });

  test.each(rows)("$option is $value", ({ option, value }) => {
    expect(value).toBe(shown(option, limits[option as keyof typeof limits]));
  });
});

describe("AUT-05 nothing that a client sends ends the process, and every stream ends with a status", () => {
  /** Numbers that look random, and are the same in every run. */
  const noise = (seed: string, length: number): Buffer => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
      createHash("sha256").update(`${seed}/${i}`).digest(),
    );
    return Buffer.concat(blocks).subarray(0, length);
  };

  const good = framed(requestBytes("CDS", node, ["a", "b"]));

  /** A request with some of its bytes replaced. */
  const mutated = (seed: number): Buffer => {
    const bytes = Buffer.from(good);
    const at = noise(`at ${seed}`, 8);
    for (let i = 0; i < 4; i++) bytes[at.readUInt16BE(i * 2) % bytes.length] = noise(`to ${seed}`, 4)[i] ?? 0;
    return bytes;
  };

  test.each<[string, (seed: number) => Buffer]>([
    ["a mutated request", mutated],
    ["noise", (seed) => noise(`noise ${seed}`, 200)],
    ["noise in a frame", (seed) => framed(noise(`framed ${seed}`, 200))],
    ["a compressed message that is none", () => Buffer.concat([Buffer.of(1), good.subarray(1)])],
    ["half a message", () => good.subarray(0, good.length / 2)],
    ["a message and half of one", () => Buffer.concat([good, good.subarray(0, 20)])],
    ["a length without a message", () => Buffer.of(0, 0xff, 0xff, 0xff, 0xff)],
    ["empty messages", () => Buffer.alloc(5 * 50)],
  ])("%s", async (_, make) => {
    const { port, metric, client } = await startServer(wireSet(old), { rememberMs: 1 });
    const { session, open } = connectRaw(port);
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async (__, seed) => {
        const stream = open();
        const ended = new Promise<string>((resolve) => {
          let grpc: unknown;
          stream.on("response", (headers) => {
            grpc ??= headers["grpc-status"];
          });
          stream.on("trailers", (trailers) => {
            grpc ??= trailers["grpc-status"];
          });
          stream.on("close", () => resolve(String(grpc)));
        });
        stream.resume();
        stream.end(make(seed));
        return ended;
      }),
    );
    // OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED (a compression), INTERNAL (grpc-js: what it cannot decompress).
    expect([...new Set(statuses)].filter((code) => !["0", "3", "8", "12", "13"].includes(code))).toEqual([]);
    session.close();
    await waitFor(
      async () => (await metric("streams")) + (await metric("watches")) + (await metric("connections")) === 0,
    );
    const next = client().openSotw();
    next.send("CDS", { node });
    await next.accept("CDS");
  });

  test.each([
    ["an unknown method", { ":path": "/no.such.Service/Method" }],
    ["another content type", { "content-type": "text/plain" }],
    ["a timeout that is none", { "grpc-timeout": "soon" }],
    ["a timeout that is over at once", { "grpc-timeout": "1n" }],
    ["a compression that nobody knows", { "grpc-encoding": "zopfli" }],
    ["large headers", Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`x-${i}`, "y".repeat(1_000)]))],
  ])("%s", async (_, headers) => {
    const { port, metric, client } = await startServer(wireSet(old));
    const { session } = connectRaw(port);
    const common = { ":method": "POST", ":path": adsPath, "content-type": "application/grpc", te: "trailers" };
    const stream = session.request({ ...common, ...headers });
    stream.on("error", () => {});
    const closed = new Promise<void>((resolve) => stream.once("close", resolve));
    stream.resume();
    stream.end(good);
    await closed;
    await waitFor(async () => (await metric("streams")) === 0);
    const next = client().openSotw();
    next.send("CDS", { node });
    await next.accept("CDS");
  });
});
