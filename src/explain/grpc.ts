import type { Request } from "./request.ts";

/** Whether this content-type says that a request is one of gRPC. */
export const isGrpcType = (contentType: string): boolean => /^application\/grpc(\+|$)/s.test(contentType);

export const isGrpcRequest = ({ headers }: Pick<Request, "headers">): boolean =>
  isGrpcType(
    headers
      .filter(([name]) => name.toLowerCase() === "content-type")
      .map(([, value]) => value)
      .join(),
  );
