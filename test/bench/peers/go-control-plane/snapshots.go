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
)

// keyed finds a node's snapshot by the key that it gives as its cluster, or by its own id.
type keyed struct{ byNode bool }

func (k keyed) ID(node *core.Node) string {
	if k.byNode {
		return node.GetId()
	}
	return node.GetCluster()
}

// table is resources of one type. It never changes, so that keys that have the same share it, and the library reads it as it is.
type table struct {
	items    map[string]types.ResourceWithTTL
	versions map[string]string
	// sum is of hashes of all names and versions: the same for the same resources, also after a restart.
	sum uint64
}

func (t *table) version() string { return fmt.Sprintf("%x", t.sum) }

func (t *table) with(set []*resource, remove []named) *table {
	next := &table{items: maps.Clone(t.items), versions: maps.Clone(t.versions), sum: t.sum}
	drop := func(name string) {
		if version, there := next.versions[name]; there {
			next.sum -= hashOf(name, version)
		}
	}
	for _, one := range set {
		drop(one.Name)
		next.sum += hashOf(one.Name, one.version)
		next.items[one.Name] = types.ResourceWithTTL{Resource: one.message}
		next.versions[one.Name] = one.version
	}
	for _, one := range remove {
		drop(one.Name)
		delete(next.items, one.Name)
		delete(next.versions, one.Name)
	}
	return next
}

func hashOf(name, version string) uint64 {
	sum := fnv.New64a()
	_, _ = fmt.Fprintf(sum, "%s %s", name, version)
	return sum.Sum64()
}

type snapshots struct {
	kept   cache.SnapshotCache
	byNode bool
	// empty is what every key begins with, by type.
	empty  map[string]*table
	states map[string]*state
}

// state is what one key has, by type, and who belongs to it.
type state struct {
	nodes  []string
	tables map[string]*table
}

func newSnapshots(byNode bool) *snapshots {
	kept := cache.NewSnapshotCache(false, keyed{byNode}, nil)
	return &snapshots{kept: kept, byNode: byNode, empty: map[string]*table{}, states: map[string]*state{}}
}

func (s *snapshots) cache() cache.Cache { return s.kept }

func (s *snapshots) put(ctx context.Context, updates []update) error {
	touched := map[string]bool{}
	for _, one := range updates {
		for key, nodes := range one.Nodes {
			if s.states[key] == nil {
				s.states[key] = &state{tables: map[string]*table{}}
			}
			s.states[key].nodes = nodes
		}
		for _, changed := range one.Changes {
			if err := s.apply(changed, one.Resources, touched); err != nil {
				return err
			}
		}
	}
	for key := range touched {
		if err := s.hand(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

func (s *snapshots) apply(changed change, resources []*resource, touched map[string]bool) error {
	set, remove := map[string][]*resource{}, map[string][]named{}
	urls := map[string]bool{}
	for _, index := range changed.Set {
		one := resources[index]
		set[one.Type] = append(set[one.Type], one)
		urls[one.Type] = true
	}
	for _, one := range changed.Remove {
		remove[one.Type] = append(remove[one.Type], one)
		urls[one.Type] = true
	}
	keys := changed.Keys
	if keys == nil {
		keys = slices.Collect(maps.Keys(s.states))
	}
	next := map[*table]*table{}
	for _, key := range keys {
		known := s.states[key]
		if known == nil {
			return fmt.Errorf("nobody has the key %q", key)
		}
		touched[key] = true
		for url := range urls {
			before := s.table(known, url)
			if next[before] == nil {
				next[before] = before.with(set[url], remove[url])
			}
			known.tables[url] = next[before]
		}
	}
	return nil
}

func (s *snapshots) table(of *state, url string) *table {
	if found := of.tables[url]; found != nil {
		return found
	}
	if s.empty[url] == nil {
		s.empty[url] = &table{items: map[string]types.ResourceWithTTL{}, versions: map[string]string{}}
	}
	return s.empty[url]
}

// hand gives a key's present state to the library, with the versions of its resources: it would hash each of them anew for each key.
func (s *snapshots) hand(ctx context.Context, key string) error {
	known := s.states[key]
	next := &cache.Snapshot{VersionMap: map[string]map[string]string{}}
	for index := types.ResponseType(0); index < types.UnknownType; index++ {
		url, err := cache.GetResponseTypeURL(index)
		if err != nil {
			return err
		}
		one := s.table(known, url)
		next.Resources[index] = cache.Resources{Version: one.version(), Items: one.items}
		next.VersionMap[url] = one.versions
	}
	if !s.byNode {
		return s.kept.SetSnapshot(ctx, key, next)
	}
	for _, node := range known.nodes {
		if err := s.kept.SetSnapshot(ctx, node, next); err != nil {
			return err
		}
	}
	return nil
}
