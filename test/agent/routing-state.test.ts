import { describe, expect, test } from "vitest";
import { noRouting, readRouting, routingChanges } from "../../src/agent/routing-state.ts";

const rules = `0:\tfrom all lookup local
15006:\tfrom all fwmark 0x539 lookup 15006
15006:\tfrom all fwmark 0x4d lookup 15006 proto 137
15006:\tfrom all fwmark 0x4d lookup 133
15007:\tfrom all fwmark 0x539 lookup 15006
32766:\tfrom all lookup main
`;
const loopback = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536
    inet6 ::6/128 scope global nodad deprecated 
    inet6 ::1/128 scope host 
`;

describe("what ip shows", () => {
  test("our rules, our route, our address", () => {
    expect(readRouting([rules, "local default dev lo metric 1024 pref medium\n", loopback])).toEqual({
      selectors: ["fwmark 0x539 lookup 15006", "fwmark 0x4d lookup 15006"],
      hasRoute: true,
      hasAddress: true,
    });
  });

  test("what is not ours", () => {
    const others = [
      "15006:\tfrom all fwmark 0x4d lookup 133\n",
      "local 10.0.0.1 dev lo\n",
      "    inet6 ::1/128 scope host\n",
    ];
    expect(readRouting(others)).toEqual(noRouting);
    expect(readRouting([])).toEqual(noRouting);
  });
});

test("changes are the difference, there and back", () => {
  const from = { selectors: ["fwmark 0x1 lookup 15006", "fwmark 0x1 lookup 15006"], hasRoute: true, hasAddress: false };
  const to = { selectors: ["fwmark 0x1 lookup 15006", "fwmark 0x2 lookup 15006"], hasRoute: true, hasAddress: true };
  const texts = (commands: readonly (readonly string[])[]) => commands.map((command) => command.join(" "));
  expect(texts(routingChanges("ipv6", from, to))).toEqual([
    "-6 rule del pref 15006 from all fwmark 0x1 lookup 15006",
    "-6 addr add ::6/128 dev lo nodad preferred_lft 0",
    "-6 rule add pref 15006 from all fwmark 0x2 lookup 15006",
  ]);
  expect(texts(routingChanges("ipv4", to, noRouting))).toEqual([
    "-4 rule del pref 15006 from all fwmark 0x1 lookup 15006",
    "-4 rule del pref 15006 from all fwmark 0x2 lookup 15006",
    "-4 route del local default dev lo table 15006",
    "-4 addr del ::6/128 dev lo",
  ]);
  expect(routingChanges("ipv4", to, to)).toEqual([]);
});
