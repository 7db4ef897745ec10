import type { Explanation, Outcome } from "../../src/explain/explanation.ts";
import type { Seen } from "./asked-sidecar.ts";
import type { Call } from "./call.ts";

/* An explanation in the words in which an Envoy tells of a call, where no cluster has anybody to send to. */

/** One of them is to be seen. */
export function toldOf(explanation: Explanation, { speech }: Call): readonly Seen[] {
  const { listener, filterChain } = explanation;
  if (listener === undefined) return [{}];
  const chain =
    filterChain && (filterChain.index === undefined ? "/defaultFilterChain" : `/filterChains/${filterChain.index}`);
  const place = { listener: listener.name, ...(chain !== undefined && { chain }) };
  const told = explanation.outcomes.map((outcome) => ({ ...place, ...toldOutcome(outcome, explanation) }));
  // Where HTTP is spoken, what is none is told so before the connection is closed.
  const [only] = explanation.outcomes;
  return speech.kind !== "http" && only?.result.kind === "close" ? [...told, { ...place, status: 400 }] : told;
}

function toldOutcome({ route, result }: Outcome, { virtualHost }: Explanation): Seen {
  const taken = route === undefined ? {} : { route: `${virtualHost?.name} ${route.index}` };
  switch (result.kind) {
    case "forward":
      return { ...taken, status: 503, ...(result.leadsTo.kind !== "missing" && { cluster: result.cluster }) };
    case "tunnel":
      return { cluster: result.cluster };
    case "answer":
      return { ...taken, status: result.status };
    case "redirect":
      return { ...taken, status: result.status, location: result.location };
    case "close":
      return {};
    case "unknown":
      throw new Error(`a filter that is not known: ${result.filter}`);
  }
}
