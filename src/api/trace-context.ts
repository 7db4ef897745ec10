/** The trace id of a W3C `traceparent` header; undefined when it is not a valid one. */
export function traceIdOf(header: string | undefined): string | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.{0,256})?$/.exec(header ?? "");
  const [, version, traceId, parentId, rest] = match ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  return /^0+$/.test(traceId ?? "") || /^0+$/.test(parentId ?? "") ? undefined : traceId;
}
