package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
)

// office is the school office's interface for programs at the hub.
type office struct {
	address string // http://127.0.0.1:port
	token   string
}

// call sends in, if not nil, as JSON and reads the answer into out, if not nil.
func (o office) call(ctx context.Context, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, o.address+"/office/api"+path, &body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+o.token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking the hub's office: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		var failed struct{ Error string }
		_ = json.NewDecoder(answer.Body).Decode(&failed) // the status says enough
		return fmt.Errorf("%s %s at the hub: %s: %s", method, path, answer.Status, failed.Error)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(out)
}

// withdraw records that an adult takes a consent back in writing.
func (o office) withdraw(ctx context.Context, id consent.SubjectID, by string) error {
	in := map[string]any{"by": by, "written": true}
	return o.call(ctx, http.MethodPost, "/subjects/"+string(id)+"/withdraw", in, nil)
}

func (o office) subject(ctx context.Context, id consent.SubjectID) (d hub.Detail, err error) {
	err = o.call(ctx, http.MethodGet, "/subjects/"+string(id), nil, &d)
	return d, err
}

// receipts lists the wipe receipts that terminals have sent about a subject.
func (o office) receipts(ctx context.Context, id consent.SubjectID) (all []hub.Report, err error) {
	q := url.Values{"kind": {string(register.ReportReceipt)}, "subject": {string(id)}}
	err = o.call(ctx, http.MethodGet, "/reports?"+q.Encode(), nil, &all)
	return all, err
}
