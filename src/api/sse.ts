/** One message of an event stream (`text/event-stream`). */
export interface ServerEvent {
  readonly event: string;
  /** Where a client that lost the connection goes on; absent: it goes on where it was before this message. */
  readonly id?: string;
  /** One line, or several. */
  readonly data: string;
}

/** A message as it goes over the wire. */
export function formatEvent({ event, id, data }: ServerEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}${lines.join("")}\n`;
}

/** A line that clients ignore: a sign of life. */
export const heartbeatComment = ":\n\n";
