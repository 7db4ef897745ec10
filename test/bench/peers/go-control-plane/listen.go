package main

import (
	"context"
	"fmt"
	"net"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
)

// listen serves the cache as the library's own examples do; port 0 lets the system choose.
func listen(kept cache.Cache, port int) (int, error) {
	xds := server.NewServer(context.Background(), kept, server.CallbackFuncs{})
	grpcServer := grpc.NewServer(grpc.MaxConcurrentStreams(1_000_000))
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, xds)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return 0, err
	}
	go func() { _ = grpcServer.Serve(listener) }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
