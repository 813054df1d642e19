package main

import (
	"context"
	"log/slog"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tillprint/tillprint/cmd/internal/cli/clitest"
	"github.com/tillprint/tillprint/cmd/internal/hubd"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/hub"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tillprint-hub": main})
}

// TestScript runs every script of testdata against the command.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               clitest.Setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   clitest.Exits,
			"address": clitest.Address,
			"daemon":  clitest.Daemon,
			"stop":    clitest.Stop,
			"fill":    clitest.Fill,
			"sees":    clitest.Sees,
			"cook":    cook,
		},
	})
}

// cook CONFIG SITE NAME FORM adds an adult without a PIN.
func cook(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: cook CONFIG SITE NAME FORM")
	}
	c, err := hubd.Load(ts.MkAbs(args[0]))
	ts.Check(err)
	c.Dir = ts.MkAbs(c.Dir)
	h, err := hub.Open(context.Background(), c.Hub(slog.New(slog.DiscardHandler)))
	ts.Check(err)
	defer h.Close()
	_, err = h.AddSubjects(context.Background(), args[1], "office", []hub.NewSubject{{Class: consent.Adult, Name: args[2], Form: args[3]}})
	ts.Check(err)
}
