import { expect, test } from "vitest";
import { hostOf, isLoopback } from "../../src/api/loopback.ts";

test.each([
  ["localhost", true],
  ["LOCALHOST", true],
  ["fairway.localhost", true],
  ["127.0.0.1", true],
  ["127.9.8.7", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["127.0.0.1.example.com", false],
  ["localhost.example.com", false],
  ["notlocalhost", false],
  ["", false],
])("%s is loopback: %s", (host, loopback) => {
  expect(isLoopback(host)).toBe(loopback);
});

test.each([
  ["localhost:15080", "localhost"],
  ["localhost", "localhost"],
  ["[::1]:15080", "::1"],
  ["[::1]", "::1"],
  ["127.0.0.1:1", "127.0.0.1"],
  ["user@localhost", undefined],
  ["localhost:", undefined],
  ["localhost:123456", undefined],
  ["::1", undefined],
  ["local host", undefined],
  ["", undefined],
])("Host: %s", (header, host) => {
  expect(hostOf(header)).toBe(host);
});
