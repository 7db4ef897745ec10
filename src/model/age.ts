import { compareText } from "../base/compare-text.ts";

/** What has an age and a name. */
interface Aged {
  /** Milliseconds since the epoch; 0 when not known. */
  readonly createdAt: number;
  readonly name: string;
  readonly namespace: string;
}

/** Istio's order where two things want the same: the oldest first, then by name, then by namespace. */
export function byAge(a: Aged, b: Aged): number {
  return a.createdAt - b.createdAt || compareText(a.name, b.name) || compareText(a.namespace, b.namespace);
}
