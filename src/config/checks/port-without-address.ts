import type { AnyRule } from "../rule.ts";
import type { Remark } from "./dangling.ts";

/**
 * Ports of a ServiceEntry on which nothing tells its service from others but the number: a TCP connection names no host, and there is no
 * address to know it by.
 */
export function portsWithoutAddress(rule: AnyRule): readonly Remark[] {
  if (rule.kind !== "ServiceEntry" || rule.spec.addresses.length > 0) return none;
  return rule.spec.ports.flatMap(({ number, protocol }, index): readonly Remark[] =>
    protocol !== "tcp"
      ? none
      : [
          {
            pointer: `/spec/ports/${index}`,
            code: "rule/port-without-address",
            message: `Nothing but its number tells the TCP port ${number} from that of another service: of several without addresses, the oldest gets all connections.`,
            hint: "Add the addresses that clients dial.",
          },
        ],
  );
}

const none: readonly Remark[] = Object.freeze([]);
