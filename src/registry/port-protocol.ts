import { isServerFirst, type Protocol, parseProtocol } from "../model/port.ts";

/**
 * What the name and the number of a port say about its protocol, as in Istio: `http`, `grpc-web`, `tcp-metrics`; `tcp` where the number
 * says so; `auto` when nothing does.
 */
export function protocolOfPort(name: string, number: number): Protocol {
  const words = name.split("-");
  const named = parseProtocol(words.slice(0, 2).join("-")) ?? parseProtocol(words[0] ?? "");
  return named ?? (isServerFirst(number) ? "tcp" : "auto");
}
