package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// store is one of the library's caches, filled from whole states.
type store interface {
	cache() cache.Cache
	set(ctx context.Context, types map[string]typeState) error
}

func newStore(config string) (store, error) {
	switch config {
	case "plain", "no-legacy-wildcard":
		return newSnapshots(false), nil
	case "ordered":
		return newSnapshots(true), nil
	case "linear":
		return newLinear(), nil
	}
	return nil, fmt.Errorf("no configuration %q", config)
}

// everyone gives all nodes the one snapshot.
type everyone struct{}

const oneNode = "everyone"

func (everyone) ID(*core.Node) string { return oneNode }

type snapshots struct{ kept cache.SnapshotCache }

func newSnapshots(ads bool) *snapshots {
	return &snapshots{cache.NewSnapshotCacheWithHeartbeating(context.Background(), ads, everyone{}, nil, 200*time.Millisecond)}
}

func (s *snapshots) cache() cache.Cache { return s.kept }

func (s *snapshots) set(ctx context.Context, state map[string]typeState) error {
	next := &cache.Snapshot{}
	for index := types.ResponseType(0); index < types.UnknownType; index++ {
		url, err := cache.GetResponseTypeURL(index)
		if err != nil {
			return err
		}
		one := state[url]
		messages, err := one.messages(url)
		if err != nil {
			return err
		}
		version := one.Version
		if version == "" {
			version = "empty"
		}
		next.Resources[index] = cache.Resources{Version: version, Items: messages}
	}
	return s.kept.SetSnapshot(ctx, oneNode, next)
}

// linear is one linear cache a type, behind the library's own multiplexer.
type linear struct {
	mux    *cache.MuxCache
	byType map[string]*cache.LinearCache
	last   map[string]typeState
}

var linearTypes = []string{
	resource.ClusterType, resource.EndpointType, resource.ListenerType, resource.RouteType, resource.ScopedRouteType,
	resource.VirtualHostType, resource.SecretType, resource.RuntimeType, resource.ExtensionConfigType,
}

func newLinear() *linear {
	made := &linear{byType: map[string]*cache.LinearCache{}}
	caches := map[string]cache.Cache{}
	for _, url := range linearTypes {
		one := cache.NewLinearCache(url)
		made.byType[url], caches[url] = one, one
	}
	made.mux = &cache.MuxCache{
		Classify:      func(asked *cache.Request) string { return asked.GetTypeUrl() },
		ClassifyDelta: func(asked *cache.DeltaRequest) string { return asked.GetTypeUrl() },
		Caches:        caches,
	}
	return made
}

func (l *linear) cache() cache.Cache { return l.mux }

// set tells each cache what has changed, as it asks for: whatever it is given counts as changed.
func (l *linear) set(_ context.Context, state map[string]typeState) error {
	for url, one := range l.byType {
		messages, err := state[url].messages(url)
		if err != nil {
			return err
		}
		before := map[string][]byte{}
		for _, raw := range l.last[url].Resources {
			before[raw.Name] = raw.Bytes
		}
		changed := map[string]types.Resource{}
		for _, raw := range state[url].Resources {
			if known, ok := before[raw.Name]; !ok || !bytes.Equal(known, raw.Bytes) {
				changed[raw.Name] = messages[raw.Name].Resource
			}
			delete(before, raw.Name)
		}
		gone := slices.Collect(maps.Keys(before))
		if len(changed)+len(gone) == 0 {
			continue
		}
		if err := one.UpdateResources(changed, gone); err != nil {
			return err
		}
	}
	l.last = state
	return nil
}
