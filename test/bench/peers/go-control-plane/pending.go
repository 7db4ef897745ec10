package main

import (
	"context"
	"sync"
)

// pending gathers updates while the store is busy with those before: what comes meanwhile goes in together.
type pending struct {
	mutex   sync.Mutex
	changed *sync.Cond
	waiting []update
	busy    bool
	failed  error
}

func newPending() *pending {
	made := &pending{}
	made.changed = sync.NewCond(&made.mutex)
	return made
}

func (p *pending) add(one update) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.waiting = append(p.waiting, one)
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
		err := into.put(context.Background(), p.take())
		p.mutex.Lock()
		if err != nil {
			p.failed = err
		}
		p.busy = false
		p.changed.Broadcast()
		p.mutex.Unlock()
	}
}

func (p *pending) take() []update {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for len(p.waiting) == 0 {
		p.changed.Wait()
	}
	taken := p.waiting
	p.waiting, p.busy = nil, true
	return taken
}
