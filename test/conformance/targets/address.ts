import { allTypes, allVariants } from "../variants.ts";
import { type Instance, type Target, unable } from "./target.ts";

/** Any server that listens somewhere, in plain text. Nothing of its state is known or controlled. `address` is `host:port`. */
export function createAddressTarget(address: string): Target {
  const instance: Instance = {
    address,
    change: unable("state"),
    touch: unable("touch"),
    release: unable("hold"),
    drain: unable("drain"),
    restart: unable("restart"),
    replica: unable("replica"),
    fail: unable("fail"),
    stats: unable("gauges"),
    receipt: unable("receipts"),
    loads: unable("load-totals"),
    close: async () => {},
  };
  return {
    name: `grpc://${address}`,
    // Asked without knowing: a server that does not serve them says so.
    can: new Set(["load-reports", "client-status"]),
    variants: new Set(allVariants),
    types: new Set([...allTypes, "LEDS"]),
    unchecked: {
      "full-set": "what the server has is not known",
      references: "what the server has is not known",
      "final-state": "what the server has is not known, and it may change at any time",
    },
    times: { quietMs: 500, withinMs: 5_000 },
    start: async () => instance,
    close: async () => {},
  };
}
