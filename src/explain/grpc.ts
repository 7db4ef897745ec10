/** Whether this content-type says that a request is one of gRPC. */
export const isGrpcType = (contentType: string): boolean => /^application\/grpc(\+|$)/s.test(contentType);
