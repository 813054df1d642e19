package terminald

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tillprint/tillprint/deploy/joinfile"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/sync/register"
	"github.com/tillprint/tillprint/sync/terminal"
)

// Pauses between two tries to reach the hub at the first start.
const (
	firstPause   = 2 * time.Second
	longestPause = time.Minute
)

// FirstStart makes this device the terminal that the join file at path says, and deletes the file. Until the hub can be
// reached it goes on trying: a terminal may be mounted before its network socket works. Meanwhile a request lies beside the
// join file, to be carried to the hub, and an answer that is put there is taken. It ends with an error when the
// hub refuses the code, which is of no use any more then; what is wrong stands on the page of a daemon that waits for the join. A power cut at any moment leaves the file, or a store that has
// joined; then the next start only deletes the file.
func FirstStart(ctx context.Context, c Config, path string, log *slog.Logger, after func(time.Duration) <-chan time.Time) (store.Identity, error) {
	id, err := firstStart(ctx, c, path, log, after)
	if err == nil || ctx.Err() == nil {
		c.noteTrouble(err, log)
	}
	return id, err
}

func firstStart(ctx context.Context, c Config, path string, log *slog.Logger, after func(time.Duration) <-chan time.Time) (store.Identity, error) {
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
	carry := carrying{c: c, code: f.Code, wish: code.Name, dir: filepath.Dir(path), log: log}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		id, err := carry.takeAnswer(ctx)
		if errors.Is(err, fs.ErrNotExist) {
			id, err = Join(ctx, c, f.Code, code.Name)
		}
		if err == nil {
			return id, errors.Join(joinfile.Consume(path), carry.clean())
		}
		if errors.Is(err, terminal.ErrJoinRefused) {
			return store.Identity{}, err
		}
		carry.leaveRequest()
		c.noteTrouble(fmt.Errorf("the hub does not admit it yet, and is asked again: %w", err), log)
		log.Warn("the hub does not admit this terminal yet; it is asked again", "in", pause, "err", err)
		select {
		case <-ctx.Done():
			return store.Identity{}, ctx.Err()
		case <-after(pause):
		}
	}
}

// carrying is a join by two files that a person carries, beside the tries over the network.
type carrying struct {
	c          Config
	code, wish string
	dir        string // of the join file
	log        *slog.Logger
	left       bool
}

func (y *carrying) requestPath() string { return filepath.Join(y.dir, joinfile.RequestName) }
func (y *carrying) answerPath() string  { return filepath.Join(y.dir, joinfile.AnswerName) }

// leaveRequest puts the request beside the join file, once. A card that takes no file costs nothing but this way.
func (y *carrying) leaveRequest() {
	if y.left {
		return
	}
	request, err := JoinRequest(y.c, y.code, y.wish)
	if err == nil {
		err = durable.Replace(y.requestPath(), request)
	}
	if err != nil {
		y.log.Warn("no request to carry to the hub could be left beside the join file", "err", err)
		return
	}
	y.left = true
	y.log.Info("without a network: carry this file to the hub, and its answer back", "file", y.requestPath(), "answer", y.answerPath())
}

// takeAnswer joins with an answer that somebody has put there; the error wraps fs.ErrNotExist if nobody has. One that is no
// good is set aside under another name, so that the network is tried again.
func (y *carrying) takeAnswer(ctx context.Context) (store.Identity, error) {
	answer, err := ReadAnswer(y.answerPath())
	if err != nil {
		return store.Identity{}, err
	}
	id, err := JoinFrom(ctx, y.c, answer)
	if err != nil {
		err = errors.Join(err, os.Rename(y.answerPath(), y.answerPath()+".refused"))
	}
	return id, err
}

func (y *carrying) clean() error {
	return errors.Join(joinfile.Consume(y.requestPath()), joinfile.Consume(y.answerPath()))
}

// ReadAnswer reads a hub's answer from a file.
func ReadAnswer(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the hub's answer: %w", err)
	}
	defer file.Close()
	answer, err := io.ReadAll(io.LimitReader(file, register.MaxJoinFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the hub's answer: %w", err)
	}
	return answer, nil
}
