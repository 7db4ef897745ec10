package main

import (
	"fmt"

	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// update is what becomes different, and for whom.
type update struct {
	Nodes     map[string][]string `json:"nodes"`
	Resources []*resource         `json:"resources"`
	Changes   []change            `json:"changes"`
}

// change is for these keys, or for all.
type change struct {
	Keys   []string `json:"keys"`
	Set    []int    `json:"set"`
	Remove []named  `json:"remove"`
}

type named struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

type resource struct {
	named
	Bytes   []byte `json:"bytes"`
	message types.Resource
	version string
}

// decode reads the resources, and versions them as the library itself would: once, and not for each key that has them.
func (u *update) decode() ([]string, error) {
	versions := make([]string, 0, len(u.Resources))
	for _, one := range u.Resources {
		message, err := (&anypb.Any{TypeUrl: one.Type, Value: one.Bytes}).UnmarshalNew()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.Name, err)
		}
		marshalled, err := cache.MarshalResource(message)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.Name, err)
		}
		one.message, one.version, one.Bytes = message, cache.HashResource(marshalled), nil
		versions = append(versions, one.version)
	}
	return versions, nil
}
