import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { Client, credentials, Metadata, type Server, ServerCredentials, type ServiceError } from "@grpc/grpc-js";
import { register, XdsServer, XdsServerCredentials } from "@grpc/grpc-js-xds";
import { addEcho, echoPath } from "../support/echo-server.ts";

/*
 * A gRPC process that takes its configuration from GRPC_XDS_BOOTSTRAP and its orders from standard input, one JSON object a line:
 *   {id, do: "call", target, count, deadlineMs, headers}   answers {id, answers, errors}
 *   {id, do: "begin", target, headers}                     calls one after the other until
 *   {id, do: "end", target}                                answers {id, answers, errors}
 *   {id, do: "serve", address, name}                       answers {id} once it serves
 * It says {id: 0} when it is ready, and ends with its input. client.py is the same in Python.
 */

interface Order {
  readonly id: number;
  readonly do: "call" | "begin" | "end" | "serve";
  readonly target: string;
  readonly count: number;
  readonly deadlineMs: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address: string;
  readonly name: string;
}

interface Report {
  /** How often each backend answered. */
  readonly answers: Record<string, number>;
  readonly errors: { readonly code: number; readonly details: string; readonly afterMs: number }[];
}

/** Between calls that go on for a while. */
const pauseMs = 5;

register();
const clients = new Map<string, Client>();
const running = new Map<string, { going: boolean; readonly done: Promise<Report> }>();

function clientFor(target: string): Client {
  const client = clients.get(target) ?? new Client(target, credentials.createInsecure());
  clients.set(target, client);
  return client;
}

const asIs = (bytes: Buffer): Buffer => bytes;

function call({ target, deadlineMs, headers = {} }: Order): Promise<string> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const deadline = Date.now() + deadlineMs;
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, answer?: Buffer): void =>
      error === null ? resolve(String(answer)) : reject(error);
    clientFor(target).makeUnaryRequest(echoPath, asIs, asIs, Buffer.from(randomUUID()), metadata, { deadline }, done);
  });
}

async function callWhile(order: Order, more: (done: number) => boolean, pauseMs = 0): Promise<Report> {
  const report: Report = { answers: {}, errors: [] };
  for (let done = 0; more(done); done++) {
    const start = performance.now();
    try {
      const answer = await call(order);
      report.answers[answer] = (report.answers[answer] ?? 0) + 1;
    } catch (error) {
      const { code, details } = error as ServiceError;
      report.errors.push({ code, details, afterMs: performance.now() - start });
    }
    if (pauseMs > 0) await delay(pauseMs);
  }
  return report;
}

const orders: Readonly<Record<Order["do"], (order: Order) => Promise<object>>> = {
  call: (order) => callWhile(order, (done) => done < order.count),
  begin: async (order) => {
    const run = { going: true };
    running.set(order.target, Object.assign(run, { done: callWhile(order, () => run.going, pauseMs) }));
    return {};
  },
  end: async ({ target }) => {
    const run = running.get(target);
    if (run === undefined) throw new Error(`nothing runs against ${target}`);
    run.going = false;
    return run.done;
  },
  serve: ({ address, name }) =>
    new Promise((resolve, reject) => {
      const server: Server = new XdsServer();
      addEcho(server, name);
      const inPlain = new XdsServerCredentials(ServerCredentials.createInsecure());
      server.bindAsync(address, inPlain, (error) => (error === null ? resolve({}) : reject(error)));
    }),
};

console.log(JSON.stringify({ id: 0 }));
for await (const line of createInterface({ input: process.stdin })) {
  const order: Order = JSON.parse(line);
  orders[order.do](order).then(
    (answer) => console.log(JSON.stringify({ id: order.id, ...answer })),
    (error: unknown) => console.log(JSON.stringify({ id: order.id, failed: String(error) })),
  );
}
process.exit(0);
