package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// store is one of the library's caches.
type store interface {
	cache() cache.Cache
	put(ctx context.Context, changed change) error
}

func newStore(kind, keys string) (store, error) {
	switch kind {
	case "snapshot":
		return newSnapshots(keys == "node"), nil
	case "linear":
		return newLinear(), nil
	}
	return nil, fmt.Errorf("no cache %q", kind)
}

func (r rawResource) message() (types.Resource, error) {
	message, err := (&anypb.Any{TypeUrl: r.Type, Value: r.Bytes}).UnmarshalNew()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Name, err)
	}
	return message, nil
}

// keyed finds a node's snapshot by the key that it gives as its cluster, or by its own id.
type keyed struct{ byNode bool }

func (k keyed) ID(node *core.Node) string {
	if k.byNode {
		return node.GetId()
	}
	return node.GetCluster()
}

// table is all resources of one type that one key has.
type table struct {
	items  map[string]types.ResourceWithTTL
	hashes map[string]uint64
}

// version is a hash of the content: the same for the same resources, also after a restart.
func (t *table) version() string {
	sum := fnv.New64a()
	for _, name := range slices.Sorted(maps.Keys(t.hashes)) {
		fmt.Fprintf(sum, "%s %x\n", name, t.hashes[name])
	}
	return fmt.Sprintf("%x", sum.Sum64())
}

type snapshots struct {
	kept   cache.SnapshotCache
	byNode bool
	states map[string]*state
}

// state is what one key has, and who belongs to it.
type state struct {
	nodes  []string
	tables map[string]*table
}

func newSnapshots(byNode bool) *snapshots {
	kept := cache.NewSnapshotCache(false, keyed{byNode}, nil)
	return &snapshots{kept: kept, byNode: byNode, states: map[string]*state{}}
}

func (s *snapshots) cache() cache.Cache { return s.kept }

func (s *snapshots) put(ctx context.Context, changed change) error {
	known := s.states[changed.Key]
	if known == nil {
		known = &state{tables: map[string]*table{}}
		s.states[changed.Key] = known
	}
	if changed.Nodes != nil {
		known.nodes = changed.Nodes
	}
	if err := known.apply(changed); err != nil {
		return err
	}
	next, err := known.snapshot()
	if err != nil {
		return err
	}
	if !s.byNode {
		return s.kept.SetSnapshot(ctx, changed.Key, next)
	}
	for _, node := range known.nodes {
		if err := s.kept.SetSnapshot(ctx, node, next); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) table(url string) *table {
	found := s.tables[url]
	if found == nil {
		found = &table{items: map[string]types.ResourceWithTTL{}, hashes: map[string]uint64{}}
		s.tables[url] = found
	}
	return found
}

func (s *state) apply(changed change) error {
	for _, raw := range changed.Set {
		message, err := raw.message()
		if err != nil {
			return err
		}
		sum := fnv.New64a()
		_, _ = sum.Write(raw.Bytes)
		into := s.table(raw.Type)
		into.items[raw.Name] = types.ResourceWithTTL{Resource: message}
		into.hashes[raw.Name] = sum.Sum64()
	}
	for _, raw := range changed.Remove {
		from := s.table(raw.Type)
		delete(from.items, raw.Name)
		delete(from.hashes, raw.Name)
	}
	return nil
}

// snapshot has maps of its own: the library reads them while the next change is made.
func (s *state) snapshot() (*cache.Snapshot, error) {
	next := &cache.Snapshot{}
	for index := types.ResponseType(0); index < types.UnknownType; index++ {
		url, err := cache.GetResponseTypeURL(index)
		if err != nil {
			return nil, err
		}
		one := s.table(url)
		next.Resources[index] = cache.Resources{Version: one.version(), Items: maps.Clone(one.items)}
	}
	return next, nil
}

// linear is one linear cache a type, behind the library's own multiplexer. All proxies get the same.
type linear struct {
	mux    *cache.MuxCache
	byType map[string]*cache.LinearCache
}

func newLinear() *linear {
	made := &linear{byType: map[string]*cache.LinearCache{}}
	caches := map[string]cache.Cache{}
	for _, url := range []string{resource.ClusterType, resource.EndpointType, resource.ListenerType, resource.RouteType} {
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

func (l *linear) put(_ context.Context, changed change) error {
	for url, one := range l.byType {
		set := map[string]types.Resource{}
		for _, raw := range changed.Set {
			if raw.Type != url {
				continue
			}
			message, err := raw.message()
			if err != nil {
				return err
			}
			set[raw.Name] = message
		}
		var gone []string
		for _, raw := range changed.Remove {
			if raw.Type == url {
				gone = append(gone, raw.Name)
			}
		}
		if len(set)+len(gone) == 0 {
			continue
		}
		if err := one.UpdateResources(set, gone); err != nil {
			return err
		}
	}
	return nil
}
