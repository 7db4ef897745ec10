import { expect, test } from "vitest";
import { formatHostPort, parseHostPort } from "../../src/base/host-port.ts";

test.each([
  ["127.0.0.1:15010", { host: "127.0.0.1", port: 15010 }],
  ["fairway.internal:0", { host: "fairway.internal", port: 0 }],
  ["[::1]:65535", { host: "::1", port: 65535 }],
  ["0.0.0.0:1", { host: "0.0.0.0", port: 1 }],
])("%s", (text, parts) => {
  expect(parseHostPort(text)).toEqual(parts);
  expect(formatHostPort(parts)).toBe(text);
});

test("a port alone is on this machine", () => {
  expect(parseHostPort("15010")).toEqual({ host: "127.0.0.1", port: 15010 });
});

test.each([
  "",
  ":15010",
  "localhost",
  "localhost:",
  "localhost:65536",
  "::1:80",
  "a b:80",
  "http://a:80",
  "a:80/",
  "a:-1",
])("%j is none", (text) => {
  expect(parseHostPort(text)).toBeUndefined();
});
