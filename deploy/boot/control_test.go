package boot_test

import (
	"encoding/json"
	"net"
	"path/filepath"
)

// control asks QEMU itself (QMP) and reads its answer into out, if not nil.
func (g *guest) control(command string, arguments map[string]any, out any) {
	g.t.Helper()
	c, err := net.Dial("unix", filepath.Join(g.dir, "control"))
	must(g.t, err)
	defer c.Close()
	answers, ask := json.NewDecoder(c), json.NewEncoder(c)
	var hello struct{ QMP json.RawMessage }
	must(g.t, answers.Decode(&hello))
	call := func(command string, arguments map[string]any, out any) {
		must(g.t, ask.Encode(map[string]any{"execute": command, "arguments": arguments}))
		for {
			var answer struct{ Return, Error json.RawMessage } // or an event, which has neither
			must(g.t, answers.Decode(&answer))
			switch {
			case answer.Error != nil:
				g.t.Fatalf("QEMU does not %s: %s", command, answer.Error)
			case answer.Return != nil && out != nil:
				must(g.t, json.Unmarshal(answer.Return, out))
				return
			case answer.Return != nil:
				return
			}
		}
	}
	call("qmp_capabilities", map[string]any{}, nil)
	if arguments == nil {
		arguments = map[string]any{}
	}
	call(command, arguments, out)
}

// written is how many sectors the guest has written onto its card since the power came.
func (g *guest) written() int {
	g.t.Helper()
	var all []struct {
		Device string
		Stats  struct {
			Written int `json:"wr_bytes"`
		}
	}
	g.control("query-blockstats", nil, &all)
	for _, d := range all {
		if d.Device == "card" {
			return d.Stats.Written / 512
		}
	}
	g.t.Fatal("QEMU knows of no card")
	return 0
}

// slow lets the card take only so many sectors a second from now on; 0 takes the limit away.
func (g *guest) slow(sectors int) {
	g.t.Helper()
	g.control("block_set_io_throttle", map[string]any{"device": "card", "bps": 0, "bps_rd": 0, "bps_wr": 512 * sectors, "iops": 0, "iops_rd": 0, "iops_wr": 0}, nil)
}
