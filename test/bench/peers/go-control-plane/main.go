// Serves go-control-plane to the bench: one server, told what to do by lines of JSON on the standard input, one answer a line on the
// standard output. It ends with its input.
//
//	{"id":1,"op":"start","cache":"snapshot","keys":"shared","port":0} → {"id":1,"port":40001}
//	{"id":2,"op":"put","nodes":{K:[ID]},"resources":[{"type":URL,"name":N,"bytes":BASE64}],
//	 "changes":[{"keys":[K],"set":[0],"remove":[{"type":URL,"name":N}]}]} → {"id":2,"versions":[V]}
//	{"id":3,"op":"settle"} → {"id":3}
//
// A key stands for proxies that are alike: those whose node names it as its cluster. `nodes` are the ids of all of them; they matter
// where each node has a snapshot of its own (`keys` is `node`). What several keys have alike comes once: a change sets resources by
// their place in the list; without `keys` it is for all that were named so far. Changes are answered when they are taken, with the
// version of each resource, and go into the cache one after the other; those that come while it is busy go in together. `settle` is
// answered when all are in. A failed one is answered with {"id":N,"error":TEXT}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

type request struct {
	ID    int    `json:"id"`
	Op    string `json:"op"`
	Cache string `json:"cache"`
	Keys  string `json:"keys"`
	Port  int    `json:"port"`
	update
}

type answer struct {
	ID       int      `json:"id"`
	Error    string   `json:"error,omitempty"`
	Port     int      `json:"port,omitempty"`
	Versions []string `json:"versions,omitempty"`
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

func serve(kept **pending, asked request, reply *answer) (err error) {
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
		reply.Versions, err = asked.decode()
		if err != nil {
			return err
		}
		return (*kept).add(asked.update)
	case "settle":
		if *kept == nil {
			return fmt.Errorf("start it first")
		}
		return (*kept).settle()
	}
	return fmt.Errorf("no operation %q", asked.Op)
}
