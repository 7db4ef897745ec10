import { type BenchType, benchTypes, type PerType, perType } from "../fixture/types.ts";
import { type Connection, openConnection } from "./connection.ts";
import { type Arrival, createMessageReader } from "./message-reader.ts";
import type { Plan } from "./plans.ts";
import { answerPart, messageFrames, methodPaths, type SharedPart, typeOfUrl } from "./requests.ts";
import type { Variant } from "./skim.ts";

/** One simulated proxy: what it asked for and took. */
export interface ProxyStream {
  readonly index: number;
  plan: Plan;
  /** Dials, and asks for everything. `returning`: its first requests where it holds something already. */
  readonly dial: (returning?: PerType<Returning>) => void;
  /** Sends a further request of a type: new names. */
  readonly ask: (type: BenchType, part: SharedPart) => void;
  readonly close: () => void;
  readonly pause: () => void;
  readonly resume: () => void;
}

/** The first request of a type by a proxy that holds something: the part that many send, and the rest. */
export interface Returning {
  readonly shared: SharedPart;
  readonly own: Buffer;
}

export interface ProxyStreamOptions {
  readonly index: number;
  readonly variant: Variant;
  readonly host: string;
  readonly port: number;
  readonly node: Buffer;
  readonly plan: Plan;
  /** Messages up to this size are kept whole. */
  readonly wholeUpTo: number;
  /** Without it, responses are not answered. */
  readonly answers: boolean;
  /** Before the response is answered. */
  readonly onArrival: (type: BenchType, arrival: Arrival) => void;
  readonly onDrop: (reason: string) => void;
}

/** As Envoy asks: clusters first, endpoints and listeners when it has them, route tables when it has listeners. */
const askedAfter: Readonly<Partial<Record<BenchType, readonly BenchType[]>>> = { CDS: ["EDS", "LDS"], LDS: ["RDS"] };

interface Held {
  version: string;
  nonce: string;
}

export function createProxyStream(options: ProxyStreamOptions): ProxyStream {
  const { index, variant, node, wholeUpTo, answers, onArrival, onDrop } = options;
  const held = perType((): Held => ({ version: "", nonce: "" }));
  let asked = new Set<BenchType>();
  let connection: Connection | undefined;

  const send = (type: BenchType, part: SharedPart, own: readonly Buffer[] = []): void => {
    asked.add(type);
    const { nonce, version } = held[type];
    connection?.send(messageFrames([...own, answerPart(variant, nonce, version)], part));
  };

  const first = (type: BenchType, { shared, own }: Returning): void =>
    send(type, shared, type === "CDS" ? [node, own] : [own]);

  const take = (arrival: Arrival): void => {
    const type = typeOfUrl.get(arrival.typeUrl);
    if (type === undefined) throw new Error(`a response of the type ${arrival.typeUrl}, which nobody asked for`);
    held[type].nonce = arrival.nonce;
    held[type].version = arrival.version;
    onArrival(type, arrival);
    if (!answers) return;
    send(type, stream.plan.answer[type]);
    if (variant === "delta") held[type].nonce = "";
    for (const next of askedAfter[type] ?? []) if (!asked.has(next)) send(next, stream.plan.first[next]);
  };

  const stream: ProxyStream = {
    index,
    plan: options.plan,
    dial: (returning) => {
      asked = new Set();
      for (const type of benchTypes) {
        held[type].nonce = "";
        if (returning === undefined) held[type].version = "";
      }
      const { host, port } = options;
      const read = createMessageReader({ variant, wholeUpTo, onResponse: take });
      const opened = openConnection({
        ...{ host, port, path: methodPaths[variant], onData: read },
        onOpen: () => {
          connection = opened;
          if (returning === undefined) send("CDS", stream.plan.first.CDS, [node]);
          else for (const type of benchTypes) first(type, returning[type]);
        },
        onClose: (reason) => {
          if (connection === opened) connection = undefined;
          if (!closing) onDrop(reason);
        },
      });
      let closing = false;
      stop = () => {
        closing = true;
        opened.close();
      };
    },
    ask: (type, part) => send(type, part),
    close: () => stop(),
    pause: () => connection?.pause(),
    resume: () => connection?.resume(),
  };
  let stop = (): void => {};
  return stream;
}
