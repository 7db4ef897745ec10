import { isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isIpAddress } from "../../src/model/ip-address.ts";

const candidate = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.string({ unit: fc.constantFrom("0", "1", "9", "a", "f", "g", ":", ".", "::"), maxLength: 20 }),
);

test("agrees with Node, which asks inet_pton", () => {
  fc.assert(
    fc.property(candidate, (text) => {
      expect(isIpAddress(text)).toBe(isIP(text) !== 0);
    }),
    { numRuns: 2000, examples: [["1.2.3.4::"], ["1::2:1.2.3.4"]] },
  );
});
