package watchdog

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestFedOnlyWhileAllAnswer(t *testing.T) {
	hangs := func(ctx context.Context) error { <-ctx.Done(); return nil }
	for _, c := range []struct {
		name   string
		answer func(context.Context) error
		says   string // "" for a part that is well
	}{
		{"well", func(context.Context) error { return nil }, ""},
		{"hangs", hangs, "part does not answer"},
		{"fails", func(context.Context) error { return errors.New("the disk is gone") }, "part: the disk is gone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			tick, fed, done := make(chan time.Time), make(chan struct{}), make(chan struct{})
			said := &listener{wanted: c.says, heard: make(chan struct{})}
			parts := []Part{{"other", func(context.Context) error { return nil }}, {"part", c.answer}}
			go func() {
				defer close(done)
				feed(ctx, tick, slog.New(slog.NewTextHandler(said, nil)), parts, func() {
					select {
					case fed <- struct{}{}:
					case <-ctx.Done():
					}
				})
			}()
			for over := false; !over; {
				select {
				case tick <- time.Time{}:
				case <-said.heard:
					over = true
				case <-fed:
					over = true
					if c.says != "" {
						t.Error("fed")
					}
				}
			}
			stop()
			<-done
		})
	}
}

// listener is a log that waits for a word; one for "" waits for ever.
type listener struct {
	wanted string
	heard  chan struct{}
	once   sync.Once
}

func (l *listener) Write(line []byte) (int, error) {
	if l.wanted != "" && strings.Contains(string(line), l.wanted) {
		l.once.Do(func() { close(l.heard) })
	}
	return len(line), nil
}

// TestRun speaks with systemd's socket.
func TestRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "30000")
	t.Setenv("WATCHDOG_PID", "")
	os.Unsetenv("WATCHDOG_PID")
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, slog.New(slog.NewTextHandler(io.Discard, nil))) }()
	told := make([]byte, 64)
	n, err := socket.Read(told)
	if err != nil || string(told[:n]) != "WATCHDOG=1" {
		t.Errorf("systemd was told %q, %v", told[:n], err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}

	os.Unsetenv("WATCHDOG_USEC")
	if err := Run(context.Background(), slog.Default()); err != nil {
		t.Errorf("without a watchdog: %v", err)
	}
}
