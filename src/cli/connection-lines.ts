import type { ExplainedCapture, ExplainedProtocol, Explanation } from "../explain/explanation.ts";
import type { Line } from "./labelled-lines.ts";
import type { Style } from "./style.ts";
import { visibleText } from "./terminal-text.ts";

/** How a connection came, which listener decides on it, and what that finds out by its first bytes. */
export const connectionLines = (
  { capture, listener, protocol }: Pick<Explanation, "capture" | "listener" | "protocol">,
  style: Style,
): readonly Line[] => [
  ...(capture === undefined ? [] : [["captured", visibleText(captureText(capture))] as const]),
  ...(listener === undefined ? [] : [["listener", `${visibleText(listener.name)}, ${listener.found}`] as const]),
  ...(protocol === undefined ? [] : protocolLines(protocol, style)),
];

const ways: Readonly<Record<ExplainedCapture["direction"], string>> = {
  outbound: "on its way to",
  inbound: "on its way into the workload at",
};

const captureText = ({ direction, destination, port, found }: ExplainedCapture): string =>
  `${ways[direction]} ${destination ?? `port ${port} of an address that is not known here`}: ${found}`;

function protocolLines({ found, waits }: ExplainedProtocol, style: Style): readonly Line[] {
  if (waits === undefined) return [["protocol", visibleText(found)]];
  const { timeoutMs, goesOn } = waits;
  const limit = timeoutMs === 0 ? "for ever" : `for ${timeoutMs / 1_000} s at most`;
  return [
    ["protocol", `${visibleText(found)}, which the listener waits for, ${style("caution", limit)}`],
    ["", style("caution", `where the server speaks first, ${endText(timeoutMs, goesOn)}`)],
  ];
}

function endText(timeoutMs: number, goesOn: boolean): string {
  if (timeoutMs === 0) return "nothing ever happens: declare the protocol of such a port (tcp)";
  return goesOn ? "it is heard after that" : "the connection is closed then";
}
