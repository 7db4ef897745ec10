// Serves go-control-plane to the bench: one server, told what to do by lines of JSON on the standard input, one answer a line on the
// standard output. It ends with its input.
//
//	{"id":1,"op":"start","cache":"snapshot","keys":"shared","port":0} → {"id":1,"port":40001}
//	{"id":2,"op":"put","changes":[{"key":K,"nodes":[ID],"set":[{"type":URL,"name":N,"bytes":BASE64}],"remove":[{"type":URL,"name":N}]}]} → {"id":2}
//	{"id":3,"op":"settle"} → {"id":3}
//
// Changes are answered when they are taken, and go into the cache one after the other; those that come while it is busy go in
// together. `settle` is answered when all are in. A failed one is answered with {"id":N,"error":TEXT}. A key stands for proxies that are alike: those whose node names it as its
// cluster. `nodes` are the ids of all of them; they matter where each node has a snapshot of its own (`keys` is `node`).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

type request struct {
	ID      int      `json:"id"`
	Op      string   `json:"op"`
	Cache   string   `json:"cache"`
	Keys    string   `json:"keys"`
	Port    int      `json:"port"`
	Changes []change `json:"changes"`
}

// change is what becomes different for the proxies of one key.
type change struct {
	Key    string        `json:"key"`
	Nodes  []string      `json:"nodes"`
	Set    []rawResource `json:"set"`
	Remove []rawResource `json:"remove"`
}

type rawResource struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Bytes []byte `json:"bytes"`
}

type answer struct {
	ID    int    `json:"id"`
	Error string `json:"error,omitempty"`
	Port  int    `json:"port,omitempty"`
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(make([]byte, 1<<20), 1<<30)
	output := json.NewEncoder(os.Stdout)
	var kept *pending
	for input.Scan() {
		var asked request
		reply := answer{}
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			reply.Error = err.Error()
		} else if err := serve(&kept, asked, &reply); err != nil {
			reply.Error = err.Error()
		}
		reply.ID = asked.ID
		if err := output.Encode(reply); err != nil {
			return
		}
	}
}

func serve(kept **pending, asked request, reply *answer) error {
	switch asked.Op {
	case "start":
		made, err := newStore(asked.Cache, asked.Keys)
		if err != nil {
			return err
		}
		*kept = newPending()
		go (*kept).run(made)
		reply.Port, err = listen(made.cache(), asked.Port)
		return err
	case "put":
		if *kept == nil {
			return fmt.Errorf("start it first")
		}
		return (*kept).add(asked.Changes)
	case "settle":
		if *kept == nil {
			return fmt.Errorf("start it first")
		}
		return (*kept).settle()
	}
	return fmt.Errorf("no operation %q", asked.Op)
}
