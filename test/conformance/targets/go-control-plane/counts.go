package main

import (
	"context"
	"sync/atomic"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
)

// counts is what the library's callbacks tell.
type counts struct{ streams atomic.Int64 }

func (c *counts) callbacks() server.Callbacks {
	opened := func(context.Context, int64, string) error {
		c.streams.Add(1)
		return nil
	}
	closed := func(int64, *core.Node) { c.streams.Add(-1) }
	return server.CallbackFuncs{
		StreamOpenFunc:        opened,
		StreamClosedFunc:      closed,
		DeltaStreamOpenFunc:   opened,
		DeltaStreamClosedFunc: closed,
	}
}
