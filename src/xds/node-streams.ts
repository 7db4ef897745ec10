/** How many streams each node has. */
export interface NodeStreams {
  /** Counts one more, unless that were too many. */
  readonly enter: (node: string) => boolean;
  readonly leave: (node: string) => void;
}

export function createNodeStreams(maxPerNode: number): NodeStreams {
  const counts = new Map<string, number>();
  return {
    enter(node) {
      const count = counts.get(node) ?? 0;
      if (count >= maxPerNode) return false;
      counts.set(node, count + 1);
      return true;
    },
    leave(node) {
      const count = (counts.get(node) ?? 0) - 1;
      if (count > 0) counts.set(node, count);
      else counts.delete(node);
    },
  };
}
