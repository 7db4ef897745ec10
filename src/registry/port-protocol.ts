import { type Protocol, parseProtocol } from "../model/port.ts";

/** What the name of a port says about its protocol, as in Istio: `http`, `grpc-web`, `tcp-metrics`; `auto` when nothing. */
export function protocolOfPortName(name: string): Protocol {
  const words = name.split("-");
  return parseProtocol(words.slice(0, 2).join("-")) ?? parseProtocol(words[0] ?? "") ?? "auto";
}
