// Serves go-control-plane to the conformance suite: as many independent servers as there are cases, told what to do by lines of
// JSON on the standard input, one answer a line on the standard output. It ends with its input.
//
//	{"id":1,"op":"start","config":"plain","held":false}          → {"id":1,"server":1,"port":40001}
//	{"id":2,"op":"state","server":1,"types":{URL:{"version":V,"resources":[{"name":N,"bytes":BASE64}]}}} → {"id":2}
//	{"id":3,"op":"restart","server":1}                           → {"id":3}
//	{"id":4,"op":"stats","server":1}                             → {"id":4,"streams":0}
//	{"id":5,"op":"stop","server":1}                              → {"id":5}
//
// A failed one is answered with {"id":N,"error":TEXT}. `state` is the whole state; what is not in it is gone. A server that is
// `held` has none until the first one.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"google.golang.org/protobuf/types/known/anypb"
)

type request struct {
	ID     int                  `json:"id"`
	Op     string               `json:"op"`
	Config string               `json:"config"`
	Held   bool                 `json:"held"`
	Server int                  `json:"server"`
	Types  map[string]typeState `json:"types"`
}

// typeState is everything of one type. The version is the suite's: a hash of the content.
type typeState struct {
	Version   string        `json:"version"`
	Resources []rawResource `json:"resources"`
}

type rawResource struct {
	Name  string `json:"name"`
	Bytes []byte `json:"bytes"`
	// Milliseconds; 0 for none.
	TTL int `json:"ttlMs"`
}

type answer struct {
	ID      int    `json:"id"`
	Error   string `json:"error,omitempty"`
	Server  int    `json:"server,omitempty"`
	Port    int    `json:"port,omitempty"`
	Streams int64  `json:"streams"`
}

func main() {
	servers := map[int]*plane{}
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(make([]byte, 1<<20), 1<<28)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		var asked request
		reply := answer{}
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			reply.Error = err.Error()
		} else if err := serve(servers, asked, &reply); err != nil {
			reply.Error = err.Error()
		}
		reply.ID = asked.ID
		if err := output.Encode(reply); err != nil {
			return
		}
	}
}

func serve(servers map[int]*plane, asked request, reply *answer) error {
	if asked.Op == "start" {
		started, err := startPlane(asked.Config, asked.Held)
		if err != nil {
			return err
		}
		reply.Server = len(servers) + 1
		reply.Port = started.port
		servers[reply.Server] = started
		return nil
	}
	found := servers[asked.Server]
	if found == nil {
		return fmt.Errorf("no server %d", asked.Server)
	}
	switch asked.Op {
	case "state":
		return found.state(context.Background(), asked.Types)
	case "restart":
		return found.restart()
	case "stats":
		reply.Streams = found.counts.streams.Load()
		return nil
	case "stop":
		found.stop()
		return nil
	}
	return fmt.Errorf("no operation %q", asked.Op)
}

func (t typeState) messages(url string) (map[string]types.ResourceWithTTL, error) {
	messages := map[string]types.ResourceWithTTL{}
	for _, raw := range t.Resources {
		message, err := (&anypb.Any{TypeUrl: url, Value: raw.Bytes}).UnmarshalNew()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", raw.Name, err)
		}
		one := types.ResourceWithTTL{Resource: message}
		if raw.TTL > 0 {
			ttl := time.Duration(raw.TTL) * time.Millisecond
			one.TTL = &ttl
		}
		messages[raw.Name] = one
	}
	return messages, nil
}
