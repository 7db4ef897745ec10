import type { ServerResponse } from "node:http";
import type { WatchSink } from "./watch.ts";

/** An answer that goes on and on, as the end of a watch. */
export function sinkOf(response: ServerResponse): WatchSink {
  return {
    write: (text) => response.write(text),
    onDrain: (listener) => void response.on("drain", listener),
    onClose: (listener) => void response.once("close", listener),
    end: () => void response.end(),
    cut: () => void response.destroy(),
  };
}
