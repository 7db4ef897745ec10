package main

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// pending gathers changes while the store is busy with those before: what comes meanwhile goes in together, and the latest wins.
type pending struct {
	mutex   sync.Mutex
	changed *sync.Cond
	waiting map[string]*merged
	busy    bool
	failed  error
}

// merged is all that waits for one key.
type merged struct {
	nodes  []string
	set    map[resourceKey]rawResource
	remove map[resourceKey]rawResource
}

type resourceKey struct{ url, name string }

func newPending() *pending {
	made := &pending{waiting: map[string]*merged{}}
	made.changed = sync.NewCond(&made.mutex)
	return made
}

func (p *pending) add(changes []change) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, one := range changes {
		into := p.waiting[one.Key]
		if into == nil {
			into = &merged{set: map[resourceKey]rawResource{}, remove: map[resourceKey]rawResource{}}
			p.waiting[one.Key] = into
		}
		if one.Nodes != nil {
			into.nodes = one.Nodes
		}
		for _, raw := range one.Set {
			key := resourceKey{raw.Type, raw.Name}
			delete(into.remove, key)
			into.set[key] = raw
		}
		for _, raw := range one.Remove {
			key := resourceKey{raw.Type, raw.Name}
			delete(into.set, key)
			into.remove[key] = raw
		}
	}
	p.changed.Broadcast()
	return p.failed
}

// settle waits until the store has everything.
func (p *pending) settle() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for p.failed == nil && (p.busy || len(p.waiting) > 0) {
		p.changed.Wait()
	}
	return p.failed
}

// run puts into the store what waits, for ever.
func (p *pending) run(into store) {
	for {
		for key, one := range p.take() {
			set, remove := slices.Collect(maps.Values(one.set)), slices.Collect(maps.Values(one.remove))
			if err := into.put(context.Background(), change{key, one.nodes, set, remove}); err != nil {
				p.mutex.Lock()
				p.failed = err
				p.mutex.Unlock()
			}
		}
		p.mutex.Lock()
		p.busy = false
		p.changed.Broadcast()
		p.mutex.Unlock()
	}
}

func (p *pending) take() map[string]*merged {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for len(p.waiting) == 0 {
		p.changed.Wait()
	}
	taken := p.waiting
	p.waiting, p.busy = map[string]*merged{}, true
	return taken
}
