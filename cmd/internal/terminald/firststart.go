package terminald

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tillprint/tillprint/deploy/joinfile"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/terminal"
)

// Pauses between two tries to reach the hub at the first start.
const (
	firstPause   = 2 * time.Second
	longestPause = time.Minute
)

// FirstStart makes this device the terminal that the join file at path says, and deletes the file. Until the hub can be
// reached it goes on trying: a terminal may be mounted before its network socket works. It ends with an error when the
// hub refuses the code, which is of no use any more then. A power cut at any moment leaves the file, or a store that has
// joined; then the next start only deletes the file.
func FirstStart(ctx context.Context, c Config, path string, log *slog.Logger, after func(time.Duration) <-chan time.Time) (store.Identity, error) {
	if c.joined() {
		log.Info("this terminal has joined already; the join file is not needed", "file", path)
		return store.Identity{}, joinfile.Consume(path)
	}
	f, err := joinfile.Read(path)
	if err != nil {
		return store.Identity{}, err
	}
	code, err := f.Join()
	if err != nil {
		return store.Identity{}, err
	}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		id, err := Join(ctx, c, f.Code, code.Name)
		if err == nil {
			return id, joinfile.Consume(path)
		}
		if errors.Is(err, terminal.ErrJoinRefused) {
			return store.Identity{}, err
		}
		log.Warn("the hub does not admit this terminal yet; it is asked again", "in", pause, "err", err)
		select {
		case <-ctx.Done():
			return store.Identity{}, ctx.Err()
		case <-after(pause):
		}
	}
}
