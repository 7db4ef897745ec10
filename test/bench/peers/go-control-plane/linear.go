package main

import (
	"context"
	"maps"
	"slices"
	"sync"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	xds "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// linear is a linear cache for all endpoints, which are named and the same for everybody, and one for each other type and key.
type linear struct {
	mutex  sync.RWMutex
	caches map[place]*cache.LinearCache
	keys   map[string]bool
}

type place struct{ url, key string }

func placeOf(url, key string) place {
	if url == xds.EndpointType {
		return place{url: url}
	}
	return place{url, key}
}

func newLinear() *linear {
	return &linear{caches: map[place]*cache.LinearCache{}, keys: map[string]bool{}}
}

func (l *linear) cache() cache.Cache { return l }

// at finds a cache; a new one is empty.
func (l *linear) at(where place) *cache.LinearCache {
	l.mutex.RLock()
	found := l.caches[where]
	l.mutex.RUnlock()
	if found != nil {
		return found
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.caches[where] == nil {
		l.caches[where] = cache.NewLinearCache(where.url)
	}
	return l.caches[where]
}

func (l *linear) of(node *core.Node, url string) *cache.LinearCache {
	return l.at(placeOf(url, node.GetCluster()))
}

func (l *linear) CreateWatch(asked *cache.Request, sub cache.Subscription, to chan cache.Response) (func(), error) {
	return l.of(asked.GetNode(), asked.GetTypeUrl()).CreateWatch(asked, sub, to)
}

func (l *linear) CreateDeltaWatch(asked *cache.DeltaRequest, sub cache.Subscription, to chan cache.DeltaResponse) (func(), error) {
	return l.of(asked.GetNode(), asked.GetTypeUrl()).CreateDeltaWatch(asked, sub, to)
}

func (l *linear) Fetch(ctx context.Context, asked *cache.Request) (cache.Response, error) {
	return l.of(asked.GetNode(), asked.GetTypeUrl()).Fetch(ctx, asked)
}

// edit is what one cache is told; nil: the resource is gone.
type edit map[string]types.Resource

func (l *linear) put(_ context.Context, updates []update) error {
	edits := map[place]edit{}
	note := func(one named, key string, message types.Resource) {
		where := placeOf(one.Type, key)
		if edits[where] == nil {
			edits[where] = edit{}
		}
		edits[where][one.Name] = message
	}
	for _, one := range updates {
		for key := range one.Nodes {
			l.keys[key] = true
		}
		for _, changed := range one.Changes {
			keys := changed.Keys
			if keys == nil {
				keys = slices.Collect(maps.Keys(l.keys))
			}
			for _, key := range keys {
				for _, index := range changed.Set {
					note(one.Resources[index].named, key, one.Resources[index].message)
				}
				for _, gone := range changed.Remove {
					note(gone, key, nil)
				}
			}
		}
	}
	for where, told := range edits {
		set, gone := map[string]types.Resource{}, []string{}
		for name, message := range told {
			if message == nil {
				gone = append(gone, name)
			} else {
				set[name] = message
			}
		}
		if err := l.at(where).UpdateResources(set, gone); err != nil {
			return err
		}
	}
	return nil
}
