/** What Ctrl-C, `kill` and a closed terminal send. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Termination {
  /** The first request to end: drain, stop in order. */
  readonly first: () => void;
  /** Somebody asks again: end at once. */
  readonly again: () => void;
}

/** Hears requests to end this process, until the returned function is called; without it they end the process on the spot. */
export function onTermination({ first, again }: Termination): () => void {
  let asked = false;
  const hear = () => {
    const react = asked ? again : first;
    asked = true;
    react();
  };
  for (const signal of signals) process.on(signal, hear);
  return () => {
    for (const signal of signals) process.off(signal, hear);
  };
}
