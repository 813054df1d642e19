package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/export"
	"github.com/tillprint/tillprint/sync/register"
)

// itemExport is an item of the store's queue: an export to make and send. Text is the order as JSON.
const itemExport = "export"

// settingExport and a pseudonym name the setting that keeps the last order about a subject, for an export to a file of this machine.
const settingExport = "sync.export."

// orderLife is for how long a confirmed order can be carried out at this terminal: what the law gives for an answer (G5).
const orderLife = 31 * 24 * time.Hour

// ErrNoOrder says that nobody has confirmed an export of this subject.
var ErrNoOrder = errors.New("no confirmed request for this subject is known here: one person of the office asks for it on the subject's page, a second one confirms it")

// noteExport queues an order. What was ordered twice is sent twice, which does no harm.
func (c *Client) noteExport(o *export.Order) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := c.o.Store.SetSetting(settingExport+string(o.Subject), text); err != nil {
		return err
	}
	_, err = c.o.Store.Enqueue(store.Item{Kind: itemExport, Subject: o.Subject, Text: string(text)})
	return err
}

// sendExport makes an export anew each time it is tried, so that none waits on the disk.
func (c *Client) sendExport(ctx context.Context, it store.Item) error {
	var o export.Order
	if err := json.Unmarshal([]byte(it.Text), &o); err != nil {
		c.remark("An order for an export cannot be read; ask for it again.")
		return c.done(it.ID)
	}
	sealed, err := export.Seal(c.o.Store, c.site(), o)
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	_, err = c.ask(ctx, http.MethodPost, "/v1/exports", "", register.ExportPart{Order: o.ID, Sealed: sealed}, 0)
	if err != nil && !refusedWith(err, register.CodeUnknown) {
		return err
	}
	return c.done(it.ID)
}

// Export makes the same export as the hub gets, for a file on this machine: at once, and without the hub (G5). The error is
// ErrNoOrder unless an order for this subject has come and is not too old.
func (c *Client) Export(id consent.SubjectID) ([]byte, error) {
	var o export.Order
	text, err := c.o.Store.Setting(settingExport + string(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoOrder
	}
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the order for an export: %w", err)
	}
	if c.o.Store.Now().Sub(o.Confirmed) > orderLife {
		return nil, ErrNoOrder
	}
	return export.Seal(c.o.Store, c.site(), o)
}

func (c *Client) site() export.Site {
	p, _ := c.Profile()
	return export.Site{ID: c.id.Site, Name: p.School, Contact: p.Contact}
}
