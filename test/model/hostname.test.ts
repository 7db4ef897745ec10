import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bySpecificity,
  expandShortName,
  hostsOverlap,
  isWithin,
  mostSpecific,
  parseHostname,
} from "../../src/model/hostname.ts";
import { host } from "../support/mesh.ts";

describe("parseHostname", () => {
  test.each([
    ["reviews.shop", "reviews.shop"],
    ["Reviews.Shop.", "reviews.shop"],
    ["*", "*"],
    ["*.example.com", "*.example.com"],
    ["a_b.example", "a_b.example"],
    ["10.0.0.1", "10.0.0.1"],
    ["", undefined],
    ["*foo.com", undefined],
    ["a..b", undefined],
    ["-a.com", undefined],
    ["a b", undefined],
    [`${"a".repeat(64)}.com`, undefined],
    [`${"a.".repeat(127)}toolong`, undefined],
  ])("%j is %j", (text, want) => {
    expect(parseHostname(text)).toBe(want);
  });
});

describe("wildcards", () => {
  test.each([
    ["a.b.com", "*.com", true],
    ["a.b.com", "*.b.com", true],
    ["b.com", "*.b.com", false],
    ["*.b.com", "*.com", true],
    ["*.com", "*.b.com", false],
    ["a.com", "*", true],
    ["*", "*", true],
    ["a.com", "a.com", true],
    ["a.com", "b.com", false],
  ])("%s is within %s: %j", (inner, outer, want) => {
    expect(isWithin(host(inner), host(outer))).toBe(want);
  });

  test("overlap is one side within the other", () => {
    expect(hostsOverlap(host("*.com"), host("a.com"))).toBe(true);
    expect(hostsOverlap(host("a.com"), host("*.com"))).toBe(true);
    expect(hostsOverlap(host("a.com"), host("*.org"))).toBe(false);
  });

  test("the most specific wins, whatever the order", () => {
    const hosts = ["*", "*.com", "*.b.com", "a.b.com", "*.org"].map(host);
    fc.assert(
      fc.property(fc.shuffledSubarray(hosts, { minLength: hosts.length }), (shuffled) => {
        expect(mostSpecific(host("a.b.com"), shuffled)).toBe("a.b.com");
        expect(mostSpecific(host("c.b.com"), shuffled)).toBe("*.b.com");
        expect(mostSpecific(host("x.net"), shuffled)).toBe("*");
        expect([...shuffled].sort(bySpecificity)).toEqual(["a.b.com", "*.b.com", "*.com", "*.org", "*"]);
      }),
    );
    expect(mostSpecific(host("x.net"), [host("*.org")])).toBeUndefined();
  });
});

test.each([
  ["reviews", "reviews.shop.svc.cluster.local"],
  ["reviews.other", "reviews.other"],
  ["*", "*"],
  ["*.example.com", "*.example.com"],
  ["10.1.2.3", "10.1.2.3"],
])("in namespace shop %s means %s", (text, want) => {
  expect(expandShortName(text, "shop", "cluster.local")).toBe(want);
});
