import { once } from "node:events";
import { request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { addAbortSignal } from "node:stream";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { formatHostPort } from "../../../src/base/host-port.ts";
import { asIs, type Call, grpcPath, type Outcome } from "./exchange.ts";

const timeoutMs = 3_000;

/** Makes a call over a connection of its own. */
export async function call(to: Call): Promise<Outcome> {
  try {
    return await ways[to.protocol](to);
  } catch (error) {
    return { failed: reasonOf(error as Failure) };
  }
}

type Failure = Error & { readonly code?: string | number; readonly cause?: Failure };

const reasons: Readonly<Record<string, string>> = {
  TimeoutError: "timeout",
  // Whether an end is a reset depends on what was still on its way.
  ECONNRESET: "closed",
  EPIPE: "closed",
};

function reasonOf({ name, code, message, cause }: Failure): string {
  if (cause instanceof Error) return reasonOf(cause);
  return reasons[name] ?? reasons[String(code)] ?? message;
}

const late = (): AbortSignal => AbortSignal.timeout(timeoutMs);

const authorityOf = ({ authority, ...to }: Call): string => authority ?? formatHostPort(to);

const parse = (body: string): Outcome => (body === "" ? { failed: "closed" } : JSON.parse(body));

const dial = ({ host, port }: Call): Socket => addAbortSignal(late(), connect({ host, port }));

const ways: Readonly<Record<Call["protocol"], (to: Call) => Promise<Outcome>>> = {
  http: (to) =>
    new Promise((resolve, reject) => {
      const headers = { host: authorityOf(to) };
      const sent = request({ host: to.host, port: to.port, agent: false, signal: late(), headers });
      sent.on("error", reject);
      sent.on("response", (response) => {
        const { statusCode } = response;
        text(response).then((body) => resolve(statusCode === 200 ? parse(body) : { failed: `${statusCode}` }), reject);
      });
      sent.end();
    }),

  http2: async (to) => {
    const session = connectHttp2(`http://${formatHostPort(to)}`);
    // Its stream fails, too.
    session.on("error", () => {});
    try {
      const stream = session.request({ ":authority": authorityOf(to) }, { signal: late() });
      const [[headers], body] = await Promise.all([once(stream, "response"), text(stream)]);
      return headers[":status"] === 200 ? parse(body) : { failed: `${headers[":status"]}` };
    } finally {
      session.destroy();
    }
  },

  grpc: (to) => {
    const client = new Client(
      `${to.host.includes(":") ? "ipv6" : "ipv4"}:${formatHostPort(to)}`,
      credentials.createInsecure(),
      {
        "grpc.default_authority": authorityOf(to),
        "grpc.use_local_subchannel_pool": 1,
      },
    );
    return new Promise<Outcome>((resolve, reject) => {
      const deadline = new Date(Date.now() + timeoutMs);
      client.makeUnaryRequest(grpcPath, asIs, asIs, Buffer.of(), new Metadata(), { deadline }, (error, answer) =>
        error === null ? resolve(parse(String(answer))) : reject(error),
      );
    }).finally(() => client.close());
  },

  tls: async (to) => {
    const socket = connectTls({ socket: dial(to), servername: authorityOf(to), rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { fingerprint256 } = socket.getPeerCertificate();
    const { certificate, ...outcome } = { certificate: "", ...parse(await text(socket)) };
    return certificate === fingerprint256 ? outcome : { failed: "the certificate is not the server's" };
  },

  bytes: async (to) => {
    const socket = dial(to);
    socket.write("hello\n");
    return parse(await text(socket));
  },

  // Says nothing before it was greeted.
  greeting: async (to) => {
    const socket = dial(to);
    let said = "";
    for await (const part of socket) {
      if (said === "") socket.write("thanks\n");
      said += part;
    }
    return parse(said.split("\n")[1] ?? "");
  },
};
