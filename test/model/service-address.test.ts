import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressOf, formatAddress } from "../../src/model/address-bits.ts";
import { isNetwork, parseServiceAddress } from "../../src/model/service-address.ts";

test.each([
  ["10.0.0.1", "10.0.0.1"],
  ["FD00:0:0::1", "fd00::1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["10:0:1:0:0:2:3:4", "10:0:1::2:3:4"],
  ["::ffff:1.2.3.4", "::ffff:102:304"],
  ["1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"],
  ["fd00::", "fd00::"],
  ["10.1.2.3/16", "10.1.0.0/16"],
  ["10.1.2.3/32", "10.1.2.3"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["255.255.255.255/1", "128.0.0.0/1"],
  ["fd00::1:2/64", "fd00::/64"],
  ["fd00::1/128", "fd00::1"],
  ["::/0", "::/0"],
])("%s is %s", (text, address) => {
  expect(parseServiceAddress(text)).toBe(address);
});

test.each([
  ...["", "a.example.com", "10.0.0", "10.0.0.256", "10.0.0.1:80", "[::1]", "::1%lo", " 10.0.0.1"],
  ...["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0/1e1", "fd00::/129", "/8"],
  ...["0.0.0.0", "::", "0.0.0.0/32", "::0/128"],
])("%j is none", (text) => {
  expect(parseServiceAddress(text)).toBeUndefined();
});

test.each([
  ["10.0.0.1", false],
  ["10.0.0.0/8", true],
])("%s is a network: %s", (address, expected) => {
  expect(isNetwork(address)).toBe(expected);
});

describe("addresses as numbers", () => {
  test("any number's text is read as that number, and written in one way", () => {
    const ips = fc.oneof(
      fc.record({ family: fc.constant(4 as const), bits: fc.bigInt(0n, 2n ** 32n - 1n) }),
      fc.record({
        family: fc.constant(6 as const),
        // Many zeros, which is what has several ways to be written.
        bits: fc
          .array(fc.constantFrom(0n, 0n, 1n, 0xabcdn), { minLength: 8, maxLength: 8 })
          .map((words) => words.reduce<bigint>((bits, word) => (bits << 16n) | word, 0n)),
      }),
    );
    fc.assert(
      fc.property(ips, (ip) => {
        expect(addressOf(formatAddress(ip))).toEqual(ip);
      }),
    );
  });

  test("IPv6 texts are those that a URL has", () => {
    const words = fc.array(fc.constantFrom("0", "0", "00", "1", "aBc"), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(words, (parts) => {
        const text = parts.join(":");
        expect(`[${formatAddress(addressOf(text))}]`).toBe(new URL(`http://[${text}]`).hostname);
      }),
    );
  });
});
