package terminald

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/sync/terminal"
)

// exportRequest and exportAnswer cross the control socket.
type exportRequest struct {
	Subject consent.SubjectID `json:"subject"`
}

type exportAnswer struct {
	Sealed []byte `json:"sealed"`
}

func (t *Terminal) export(r *http.Request) (any, error) {
	var in exportRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	sealed, err := t.Hub.Export(in.Subject)
	return exportAnswer{sealed}, err
}

// Export makes this terminal's part of the answer to a confirmed request for access, sealed to the request's recipient: through the
// daemon where one runs.
func Export(ctx context.Context, c Config, id consent.SubjectID) ([]byte, error) {
	var out exportAnswer
	err := c.ask(ctx, http.MethodPost, "/export", exportRequest{id}, &out)
	if !errors.Is(err, errNoDaemon) {
		return out.Sealed, err
	}
	quiet := slog.New(slog.DiscardHandler)
	st, err := openStore(c, quiet, store.Options{Command: "export"})
	if err != nil {
		return nil, err
	}
	defer st.Close()
	keep, err := custody.Open(st, matcher.NewGallery())
	if err != nil {
		return nil, err
	}
	client, err := terminal.New(terminal.Config{Store: st, Custody: keep, Version: cli.Version(), Log: quiet})
	if err != nil {
		return nil, err
	}
	return client.Export(id)
}
