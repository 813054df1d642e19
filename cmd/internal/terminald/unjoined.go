package terminald

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/durable"
)

// A card that has not joined says on its page why: the first start, which is another process, leaves the sentence beside
// the place of the store.
const maxTrouble = 1 << 10

func (c Config) troublePath() string { return filepath.Join(c.Store.Dir, "not-joined") }

// noteTrouble keeps the sentence, and takes it away for nil. The card is written only when it changes.
func (c Config) noteTrouble(trouble error, log *slog.Logger) {
	var err error
	switch {
	case trouble == nil:
		if err = os.Remove(c.troublePath()); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	case c.trouble() != trouble.Error():
		if err = os.MkdirAll(c.Store.Dir, 0o700); err == nil {
			err = durable.Replace(c.troublePath(), []byte(trouble.Error()))
		}
	}
	if err != nil {
		log.Warn("the page cannot say why this terminal has not joined", "err", err)
	}
}

// trouble is the sentence; "" if there is none.
func (c Config) trouble() string {
	file, err := os.Open(c.troublePath())
	if err != nil {
		return ""
	}
	defer file.Close()
	text, _ := io.ReadAll(io.LimitReader(file, maxTrouble))
	return strings.TrimSpace(strings.ToValidUTF8(string(text), ""))
}

// errAwaited is errNotJoined for a terminal that takes cash until it has joined.
var errAwaited = errors.New("this terminal has not joined a school")

// tryJoined is try for such a terminal. A store that is made, but not settled in, belongs to who makes it.
func (p *opening) tryJoined() (*store.Store, error) {
	if p.c.joined() && !exists(p.c.applicantPath()) {
		st, err := p.try()
		if errors.Is(err, store.ErrInUse) {
			err = fmt.Errorf("%w: it is being done", errAwaited)
		}
		return st, err
	}
	if words := p.c.trouble(); words != "" {
		return nil, fmt.Errorf("%w: %s", errAwaited, words)
	}
	return nil, fmt.Errorf("%w yet: a join code from the office does it", errAwaited)
}
