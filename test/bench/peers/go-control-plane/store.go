package main

import (
	"context"
	"fmt"

	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
)

// store is one of the library's caches.
type store interface {
	cache() cache.Cache
	// put takes updates in their order.
	put(ctx context.Context, updates []update) error
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
