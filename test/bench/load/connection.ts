import { connect, type Socket } from "node:net";
import { createFrameReader } from "./frame-reader.ts";
import {
  firstWindow,
  flag,
  frame,
  frameType,
  greeting,
  headerBytes,
  initialWindowIn,
  receiveWindows,
  settingsAck,
  streamId,
  windowUpdate,
} from "./frames.ts";

/** One HTTP/2 connection with its one stream. */
export interface Connection {
  /** Writes DATA frames as far as the server's windows reach, and the rest later. */
  readonly send: (frames: readonly Buffer[]) => void;
  /** Reads nothing more until `resume`. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly close: () => void;
}

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly onOpen: () => void;
  readonly onData: (chunk: Buffer, from: number, to: number) => void;
  /** Once, however it ended. */
  readonly onClose: (reason: string) => void;
}

/** Sockets are read one after the other, so that one buffer does for all of them. */
const sharedBuffer = Buffer.allocUnsafe(256 * 1024);

export function openConnection(options: ConnectionOptions): Connection {
  const { host, port, path, onOpen, onData, onClose } = options;
  let reason: string | undefined;
  let unread = 0;
  const outlet = createOutlet((bytes) => socket.write(bytes));

  const end = (why: string): void => {
    if (reason !== undefined) return;
    reason = why;
    socket.destroy();
    onClose(why);
  };

  /** Envoy, too, gives a window back when half of it is used. */
  const consumed = (bytes: number): void => {
    unread += bytes;
    if (unread < receiveWindows.stream / 2) return;
    socket.write(Buffer.concat([windowUpdate(0, unread), windowUpdate(streamId, unread)]));
    unread = 0;
  };

  const controls: Readonly<Record<number, (flags: number, payload: Buffer, stream: number) => void>> = {
    [frameType.settings]: (flags, payload) => {
      if ((flags & flag.ack) !== 0) return;
      socket.write(settingsAck);
      outlet.setInitialWindow(initialWindowIn(payload));
    },
    [frameType.ping]: (flags, payload) => {
      if ((flags & flag.ack) === 0) socket.write(frame(frameType.ping, flag.ack, 0, payload));
    },
    [frameType.headers]: (flags) => {
      if ((flags & flag.endStream) !== 0) end("the server ended the stream");
    },
    [frameType.rstStream]: () => end("the server reset the stream"),
    [frameType.goaway]: () => end("the server asked to go away"),
    [frameType.windowUpdate]: (_flags, payload, stream) => outlet.opened(stream, payload.readUInt32BE()),
  };

  const read = createFrameReader({
    data: (chunk, from, to) => {
      onData(chunk, from, to);
      consumed(to - from);
    },
    control: (type, flags, payload, stream) => controls[type]?.(flags, payload, stream),
  });
  const socket: Socket = connect({
    ...{ host, port, noDelay: true },
    onread: {
      buffer: sharedBuffer,
      callback: (size) => {
        try {
          read(sharedBuffer.subarray(0, size));
        } catch (error) {
          end(String(error));
        }
        return true;
      },
    },
  });
  socket.on("connect", () => {
    socket.write(greeting(path));
    onOpen();
  });
  socket.on("error", (error) => end(error.message));
  socket.on("close", () => end("the connection was closed"));
  return {
    send: outlet.send,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => end("closed by the bench"),
  };
}

interface Outlet {
  readonly send: (frames: readonly Buffer[]) => void;
  readonly setInitialWindow: (bytes: number | undefined) => void;
  readonly opened: (stream: number, bytes: number) => void;
}

/** Holds frames back while the server's windows are used up. */
function createOutlet(write: (bytes: Buffer) => void): Outlet {
  const waiting: Buffer[] = [];
  let initial = firstWindow;
  let [streamWindow, connectionWindow] = [firstWindow, firstWindow];

  const flush = (): void => {
    const ready: Buffer[] = [];
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const payload = next.length - headerBytes;
      if (payload > Math.min(streamWindow, connectionWindow)) break;
      streamWindow -= payload;
      connectionWindow -= payload;
      ready.push(next);
      waiting.shift();
    }
    const [first] = ready;
    if (first !== undefined) write(ready.length === 1 ? first : Buffer.concat(ready));
  };

  return {
    send: (frames) => {
      waiting.push(...frames);
      flush();
    },
    setInitialWindow: (bytes = initial) => {
      streamWindow += bytes - initial;
      initial = bytes;
      flush();
    },
    opened: (stream, bytes) => {
      if (stream === 0) connectionWindow += bytes;
      else streamWindow += bytes;
      flush();
    },
  };
}
