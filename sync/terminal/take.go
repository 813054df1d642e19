package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/sync/register"
)

const settingProfile = "sync.profile" // the site's profile, as JSON

// take carries out verified entries: first what stops, then what has to be remembered, then the standings, then what lets
// go. It may be repeated from the start after a crash at any line: the store keeps the old checkpoint until the standings are in.
func (c *Client) take(ctx context.Context, entries []*register.Entry, next *register.Checkpoint, signed []byte) (odd, err error) {
	plan := register.NewPlan(entries, c.id.Terminal)
	odd = c.o.Store.Clock().Witness(next.Time)
	if err := c.stop(ctx, plan); err != nil {
		return nil, err
	}
	c.taking.Store(true)
	defer c.taking.Store(false)
	if err := c.note(plan); err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		if err := c.settle(ctx, plan, next, signed); err != nil {
			return nil, err
		}
		c.o.Log.Info("the register is applied", "entries", len(entries), "seq", next.Size, "head", next.Head)
	}
	c.taking.Store(false)
	if err := c.release(ctx, plan); err != nil {
		return nil, err
	}
	c.last, c.signed = next, signed
	if next.Size == next.Head { // I7: the lease stands for "everything up to now has been applied"
		if err := c.o.Custody.SetLease(next.Lease); err != nil {
			return nil, fmt.Errorf("%w: %w", errStore, err)
		}
	}
	c.countPending() // receipts have been queued
	c.update(func(s *State) {
		s.Applied, s.Head, s.Told, s.Lease = next.Size, next.Head, next.Time, c.o.Custody.Lease()
	})
	if len(entries) > 0 {
		c.Wake()
	}
	return odd, nil
}

// stop carries out what must not wait: a wipe, a block, the end of fingers at the site or here.
func (c *Client) stop(ctx context.Context, plan register.Plan) error {
	for _, command := range plan.Commands {
		switch command.Do {
		case register.Wipe:
			if err := c.logCommand(command, ""); err != nil {
				c.o.Log.Error("the wipe order could not be logged", "err", err) // and is carried out all the same
			}
			return c.wipe(ctx)
		case register.Refetch:
			if err := c.refetch(command); err != nil {
				return err
			}
		case register.Block:
			if err := errors.Join(c.o.Custody.SetBlocked(true), c.logCommand(command, "")); err != nil {
				return fmt.Errorf("%w: %w", errStore, err)
			}
		}
	}
	if on, keep, changed := c.planned(plan); changed && !on {
		if _, err := c.o.Custody.TurnOff(keep); err != nil {
			return fmt.Errorf("%w: %w", errStore, err)
		}
	}
	return nil
}

// logCommand writes into the audit log what a command was and what has come of it: "" for carried out. One that comes again, after a crash
// or with the whole register, is logged again.
func (c *Client) logCommand(command register.Issued, result string) error {
	return c.o.Store.Append(audit.Event{Kind: audit.Command, Action: audit.Word(string(command.Do) + result), Seq: command.Seq})
}

// What comes of a command that is not carried out.
const (
	resultRefused = "/refused"
	resultUnknown = "/unknown"
)

// note keeps what has to be done because of the entries, before they count as applied: a crash in between does it twice, never not
// at all.
func (c *Client) note(plan register.Plan) error {
	if err := c.noteWanted(plan.Settle); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	if err := c.notePeers(plan.Terminals); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	if err := c.noteCommission(plan.Commission); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	if plan.Profile == nil {
		return nil
	}
	b, err := json.Marshal(plan.Profile)
	if err == nil {
		err = c.o.Store.SetSetting(settingProfile, b)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	return nil
}

// settle applies the standings. Who was taken out and let in again within the same entries is erased first; that
// goes under the old checkpoint, so that a crash between the two steps asks the hub again.
func (c *Client) settle(ctx context.Context, plan register.Plan, next *register.Checkpoint, signed []byte) error {
	if len(plan.Erase) > 0 && c.signed != nil {
		var upTo uint64
		for _, s := range plan.Erase {
			upTo = max(upTo, s.Seq)
		}
		if _, err := c.o.Custody.Apply(ctx, changes(plan.Erase), upTo, c.signed); err != nil {
			return fmt.Errorf("%w: %w", errStore, err)
		}
	}
	if _, err := c.o.Custody.Apply(ctx, changes(plan.Settle), next.Size, signed); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	return nil
}

func changes(standings []register.Standing) []store.Change {
	out := make([]store.Change, len(standings))
	for i, s := range standings {
		out[i] = store.Change{Seq: s.Seq, Subject: s.ID, Leaver: s.Leaver,
			Standing: store.Standing{Decision: s.Decision, Reasons: s.Reasons, Ends: s.Ends}}
	}
	return out
}

// release carries out what lets go: it comes last.
func (c *Client) release(ctx context.Context, plan register.Plan) error {
	if on, _, changed := c.planned(plan); changed && on {
		if _, err := c.o.Custody.SetBiometrics(ctx, true); err != nil {
			return fmt.Errorf("%w: %w", errStore, err)
		}
	}
	unblock := false
	for _, command := range plan.Commands {
		result := ""
		switch command.Do {
		case register.Block:
			unblock = false
			continue // stop has logged it
		case register.Refetch:
			continue
		case register.Unblock:
			unblock = true
		case register.Introduce:
			if err := c.introduce(command.Settings["terminal"]); err != nil {
				return fmt.Errorf("%w: %w", errStore, err)
			}
		case register.Export:
			if err := c.noteExport(command.Order); err != nil {
				return fmt.Errorf("%w: %w", errStore, err)
			}
		case register.Configure:
			result = c.configure(command.Settings)
		}
		if err := c.logCommand(command, result); err != nil {
			return fmt.Errorf("%w: %w", errStore, err)
		}
	}
	if unblock {
		if err := c.o.Custody.SetBlocked(false); err != nil {
			return fmt.Errorf("%w: %w", errStore, err)
		}
	}
	return nil
}

// configure takes settings over and says for the log what has come of it.
func (c *Client) configure(settings map[string]string) (result string) {
	if c.o.Settings == nil {
		return resultUnknown
	}
	if err := c.o.Settings(settings); err != nil {
		c.remark("A setting from the hub was not taken over: " + err.Error())
		return resultRefused
	}
	return ""
}

// wipe destroys the keys and then, with what is still in memory, tells the hub that it has been done.
func (c *Client) wipe(ctx context.Context) error {
	key, err := c.o.Store.SigningKey()
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	defer clear(key)
	if err := c.o.Store.Destroy(); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	c.o.Log.Warn("the hub has ordered this terminal wiped; its keys are destroyed")
	report := register.Report{ID: "wiped", Kind: register.ReportAlert, At: c.o.Now().UTC(), Body: "The wipe order has been carried out: this terminal's keys are destroyed."}
	body, err := json.Marshal(register.Reports{Reports: []register.Report{report}})
	nonce := c.wire.takeNonce()
	if err == nil && nonce != "" {
		_, err = c.wire.send(ctx, http.MethodPost, "/v1/reports", "", body, func(r *http.Request) {
			register.SignRequest(r, body, c.id.Site, c.id.Terminal, nonce, key)
		})
	}
	if err != nil {
		c.o.Log.Warn("the hub could not be told of the wipe", "err", err)
	}
	return ErrWiped
}

// Profile returns the site's profile as the hub last sent it; false before the first contact.
func (c *Client) Profile() (register.Profile, bool) {
	var p register.Profile
	b, err := c.o.Store.Setting(settingProfile)
	return p, err == nil && json.Unmarshal(b, &p) == nil
}
