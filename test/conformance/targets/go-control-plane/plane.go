package main

import (
	"context"
	"fmt"
	"net"
	"time"

	// Registers the messages that no service names.
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	clusterservice "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointservice "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	extensionservice "github.com/envoyproxy/go-control-plane/envoy/service/extension/v3"
	listenerservice "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	routeservice "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	runtimeservice "github.com/envoyproxy/go-control-plane/envoy/service/runtime/v3"
	secretservice "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/config"
	"github.com/envoyproxy/go-control-plane/pkg/server/sotw/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// plane is one server with its cache.
type plane struct {
	config string
	store  store
	counts *counts
	port   int
	server *grpc.Server
	cancel context.CancelFunc
	held   bool
	last   map[string]typeState
}

func startPlane(config string, held bool) (*plane, error) {
	started := &plane{config: config, held: held, counts: &counts{}}
	return started, started.listen(0)
}

func (p *plane) listen(port int) error {
	made, err := newStore(p.config)
	if err != nil {
		return err
	}
	var options []config.XDSOption
	switch p.config {
	case "ordered":
		options = append(options, sotw.WithOrderedADS())
	case "no-legacy-wildcard":
		options = append(options, config.DeactivateLegacyWildcard())
	}
	ctx, cancel := context.WithCancel(context.Background())
	xds := server.NewServer(ctx, made.cache(), p.counts.callbacks(), options...)
	grpcServer := grpc.NewServer(
		grpc.MaxConcurrentStreams(100_000),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Second, Timeout: 3 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, xds)
	clusterservice.RegisterClusterDiscoveryServiceServer(grpcServer, xds)
	endpointservice.RegisterEndpointDiscoveryServiceServer(grpcServer, xds)
	listenerservice.RegisterListenerDiscoveryServiceServer(grpcServer, xds)
	routeservice.RegisterRouteDiscoveryServiceServer(grpcServer, xds)
	routeservice.RegisterScopedRoutesDiscoveryServiceServer(grpcServer, xds)
	routeservice.RegisterVirtualHostDiscoveryServiceServer(grpcServer, xds)
	secretservice.RegisterSecretDiscoveryServiceServer(grpcServer, xds)
	runtimeservice.RegisterRuntimeDiscoveryServiceServer(grpcServer, xds)
	extensionservice.RegisterExtensionConfigDiscoveryServiceServer(grpcServer, xds)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		cancel()
		return err
	}
	p.store, p.server, p.cancel = made, grpcServer, cancel
	p.port = listener.Addr().(*net.TCPAddr).Port
	go func() { _ = grpcServer.Serve(listener) }()
	if p.held {
		return nil
	}
	return p.state(context.Background(), p.last)
}

func (p *plane) state(ctx context.Context, types map[string]typeState) error {
	p.last, p.held = types, false
	return p.store.set(ctx, types)
}

func (p *plane) restart() error {
	p.stop()
	return p.listen(p.port)
}

func (p *plane) stop() {
	p.cancel()
	p.server.Stop()
}
