import { KubeFailure } from "./failure.ts";

/** Takes a list apart while it comes in, so that neither its size nor the time to read it at once matters. */
export interface ListSplitter {
  /** The objects that this chunk completes, as JSON. Throws KubeFailure for what is no list, and for an object that is too long. */
  readonly push: (chunk: Buffer) => readonly string[];
  /** The list without its objects, as JSON; what came may not have been all. */
  readonly rest: () => string;
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];
const comma = 0x2c;
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** How deep the list's own fields are, its items, and what is in those. */
const [ofList, ofItems] = [1, 2];

/**
 * Finds where the objects in `items` begin and end by brackets and quotes alone; what is between them is for JSON.parse. Bounds by
 * bytes, which never cut a character: those signs are no part of another one in UTF-8.
 */
export function createListSplitter(maxObjectBytes: number, maxRestBytes: number): ListSplitter {
  let depth = 0;
  let isText = false;
  let isEscaped = false;
  let isInItems = false;
  /** The last text among the list's own fields: before a value its name. */
  let name = "";
  let isName = false;
  let parts: Buffer[] = [];
  let partBytes = 0;
  const rest: Buffer[] = [];
  let restBytes = 0;

  const keep = (bytes: Buffer): void => {
    if (bytes.length === 0) return;
    if (isInItems) {
      partBytes += bytes.length;
      if (partBytes > maxObjectBytes) throw broken(`one object of more than ${maxObjectBytes} bytes`);
      parts.push(bytes);
    } else {
      restBytes += bytes.length;
      if (restBytes > maxRestBytes) throw broken(`more than ${maxRestBytes} bytes beside the objects`);
      rest.push(bytes);
    }
  };

  /** Where the text that is open ends in the chunk: behind its last quote, or where the chunk does. */
  const textEnd = (chunk: Buffer, from: number): number => {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      if (isEscaped) isEscaped = false;
      else if (byte === backslash) isEscaped = true;
      else if (byte === quote) {
        isText = false;
        return at + 1;
      }
    }
    return chunk.length;
  };

  return {
    push(chunk) {
      const objects: string[] = [];
      /** Up to here the chunk has been kept, or is not needed. */
      let start = 0;
      let at = 0;
      while (at < chunk.length) {
        if (isText) {
          const end = textEnd(chunk, at);
          if (isName) name += chunk.toString("latin1", at, end);
          at = end;
          continue;
        }
        const byte = chunk[at] ?? 0;
        at += 1;
        if (byte === quote) {
          if (isInItems && depth === ofItems) throw broken("what is no object");
          isText = true;
          isName = depth === ofList;
          if (isName) name = "";
        } else if (byte === openBrace || byte === openBracket) {
          const beginsObject = isInItems && depth === ofItems;
          if (beginsObject && byte === openBrace) start = at - 1;
          depth += 1;
          if (depth === ofItems && byte === openBracket && name === 'items"') {
            keep(chunk.subarray(start, at));
            isInItems = true;
          }
          if (beginsObject && byte === openBracket) throw broken("a list in a list");
        } else if (byte === closeBrace || byte === closeBracket) {
          depth -= 1;
          if (isInItems && depth === ofItems) {
            keep(chunk.subarray(start, at));
            objects.push(Buffer.concat(parts, partBytes).toString("utf8"));
            parts = [];
            partBytes = 0;
            start = at;
          } else if (isInItems && depth < ofItems) {
            isInItems = false;
            name = "";
            start = at - 1;
          }
        } else if (isInItems && depth === ofItems && byte !== comma && !isSpace(byte)) {
          throw broken("what is no object");
        }
      }
      // Between objects there is nothing to keep.
      if (!isInItems || depth > ofItems) keep(chunk.subarray(start));
      return objects;
    },
    rest: () => Buffer.concat(rest, restBytes).toString("utf8"),
  };
}

const broken = (what: string): KubeFailure => new KubeFailure("broken", `the API server sent a list with ${what}`);
