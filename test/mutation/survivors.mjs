/** What no test notices, and why that is right: by the file of src/xds and a piece of the line. */
export const knownSurvivors = [
  // Shortcuts: without them the result is the same, and takes longer.
  { file: "fit", at: "<= partBytes", why: "a shortcut for what fits as a whole" },
  { file: "owed", at: "if (asked.size === 0)", why: "a shortcut: what changed is in the order of names already" },
  { file: "delta", at: "news.length === 0 ? asked", why: "a shortcut for an ACK, which asks for nothing" },
  { file: "delta", at: "? noResources", why: "the one empty map, by whose identity the rest is remembered" },
  { file: "push-plan", at: "if (names.size === 0)", why: "a shortcut for a type that nothing is waited for of" },
  { file: "push-plan", at: "if (waiting.size === 0)", why: "a shortcut for a type that nothing is waited for of" },
  { file: "push-plan", at: "if (before === target)", why: "a shortcut for a type that is where it should be" },
  { file: "push-plan", at: "? noNames :", why: "the one empty set, by whose identity `overlay` remembers" },
  { file: "resource-map", at: "from === to", why: "a shortcut for one and the same map" },
  { file: "resource-map", at: "resources.length === 0 ? map", why: "a shortcut: the same map, in the same order" },
  { file: "retries", at: "groups.length === 0", why: "a shortcut for those who refused nothing" },
  { file: "sotw", at: "subscription === before", why: "a shortcut for an ACK, which repeats up to 100 000 names" },
  { file: "stream", at: "refused.size === 0 ? refused", why: "a shortcut for who refused nothing" },
  { file: "stream", at: "before === after", why: "a shortcut for an ACK, which repeats up to 100 000 names" },
  // What the type checker asks for.
  { file: "heartbeat", at: "ttlMs ?? []", why: "those that are looked at have a time to live" },
  { file: "owed", at: "held.get(name)?.onDemand", why: "what is removed was held" },
  { file: "resource-map", at: "to.get(key) ?? []", why: "what changed and is not gone is there" },
  { file: "resource-map", at: "before !== undefined &&", why: "what is not there has no version that could be equal" },
  { file: "resource-map", at: "references: []", why: "nobody reads what a left-over refers to" },
  { file: "resource-map", at: "provenance: () => []", why: "nobody reads who made a left-over" },
  { file: "stream", at: "plan?.offered[type].has", why: "who answers a response has a plan" },
  { file: "stream", at: "delayMs !== undefined", why: "undefined and absent mean the same to who starts the timer" },
  { file: "stream", at: 'event.on === "timer"', why: "no timer is called undefined" },
  // Values that are overwritten or not looked at.
  {
    file: "push-plan",
    at: '=== "returning" ? "here"',
    why: "who is elsewhere has no gate to open; the new word is only compared",
  },
  { file: "push-plan", at: "gated: false", why: "each step of the stream begins with this" },
  {
    file: "settle",
    at: "resources.filter((one) => all.has",
    why: "endpoints wait for their cluster, asked for or not",
  },
  { file: "stream", at: "timer !== ended && !timers", why: "to stop a timer that has ended does nothing" },
  { file: "settle", at: "oversized: []", why: "looked at in parts only" },
  { file: "settle", at: 'outgoing.kind === "send"', why: "no resource has the name that the mutant gives" },
  {
    at: "before !== undefined &&",
    why: "a new object says the same, and costs those who compare",
  },
];
