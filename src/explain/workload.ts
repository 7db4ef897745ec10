/** What is known of the workload beside a proxy, where connections of it and to it are captured. */
export interface Workload {
  /** Its own, the usual one first. */
  readonly addresses: readonly string[];
  /** The address that it dials for a name. */
  readonly lookUp: LookUp;
  /** Its own port behind one that clients call by the name of a service; undefined: it has none for that. */
  readonly portFor: (name: string, port: number) => { readonly port: number; readonly found: string } | undefined;
}

/** `found`: how it came about, as words that a sentence may begin with. */
export type LookUp = (name: string, port: number) => { readonly address?: string; readonly found: string };
