import { type MethodDefinition, Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import type { TestContext } from "vitest";

export const echoPath = "/fairway.test.Echo/Say";

const asIs = (bytes: Buffer): Buffer => bytes;

const say: MethodDefinition<Buffer, Buffer> = {
  path: echoPath,
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};

/** Answers every call with `name`. */
export function addEcho(server: Server, name: string): void {
  const definition: ServiceDefinition<{ say: typeof answer }> = { say };
  const answer = (_call: unknown, done: (error: null, bytes: Buffer) => void): void => done(null, Buffer.from(name));
  server.addService(definition, { say: answer });
}

/** A gRPC server on loopback that answers every call with `name`; its port. */
export async function startEcho(
  context: Pick<TestContext, "onTestFinished">,
  name: string,
  host = "127.0.0.1",
): Promise<number> {
  const server = new Server();
  addEcho(server, name);
  context.onTestFinished(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:0`, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}
