package register

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/tillprint/tillprint/consent"
)

func (e *Entry) validate() error {
	if err := e.check(); err != nil {
		return fmt.Errorf("%w: entry %d: %w", ErrMalformed, e.Seq, err)
	}
	return nil
}

func (e *Entry) check() error {
	parts := 0
	for _, set := range []bool{e.Subject != nil, e.Terminals != nil, e.Command != nil, e.Profile != nil} {
		if set {
			parts++
		}
	}
	switch {
	case e.Seq == 0 || e.Seq > maxSize:
		return errors.New("the sequence number is out of range")
	case e.Terminal != "" && !ValidName(e.Terminal):
		return errors.New("the addressee is no terminal name")
	case parts != 1:
		return fmt.Errorf("it has %d parts instead of one", parts)
	case e.Kind == KindSubject && e.Subject != nil:
		return e.Subject.check()
	case e.Kind == KindTerminals && len(e.Terminals) > 0:
		return checkPeers(e.Terminals)
	case e.Kind == KindCommand && e.Command != nil:
		return e.Command.check(e.Terminal)
	case e.Kind == KindProfile && e.Profile != nil:
		return e.Profile.check()
	}
	return fmt.Errorf("its part does not fit its kind %.20q", e.Kind)
}

func (s *Subject) check() error {
	if _, err := consent.ParseSubjectID(string(s.ID)); err != nil {
		return err
	}
	if s.Decision > consent.Permit || len(s.Reasons) > 32 || len(s.Ends) > 16 {
		return errors.New("the standing is out of bounds")
	}
	if s.Leaver && s.Decision == consent.Permit {
		return errors.New("it permits a leaver")
	}
	for _, r := range s.Reasons {
		if r == "" || len(r) > 16 {
			return errors.New("a reason is no row")
		}
	}
	for _, e := range s.Ends {
		if !e.On.Valid() || e.Decision > consent.Permit || e.Row == "" || len(e.Row) > 16 {
			return errors.New("an end is no date with a decision and a row")
		}
	}
	return nil
}

func checkPeers(peers []Peer) error {
	if len(peers) > MaxTerminals {
		return fmt.Errorf("it lists %d terminals, at most %d are allowed", len(peers), MaxTerminals)
	}
	seen := make(map[string]bool)
	for _, p := range peers {
		if !ValidName(p.ID) || seen[p.ID] || p.ID == Hub {
			return fmt.Errorf("terminal %.40q is listed twice or has no proper name", p.ID)
		}
		seen[p.ID] = true
		if len(p.Sign) != ed25519.PublicKeySize {
			return fmt.Errorf("terminal %q has no Ed25519 key", p.ID)
		}
		if _, err := ParseSealPublic(p.Seal); err != nil {
			return fmt.Errorf("terminal %q: %w", p.ID, err)
		}
	}
	return nil
}

func (c *Command) check(terminal string) error {
	if (c.Order != nil) != (c.Do == Export) {
		return fmt.Errorf("an order for an export does not fit command %q", c.Do)
	}
	if (c.Commission != nil) != (c.Do == Commissioned) {
		return fmt.Errorf("a commission does not fit command %q", c.Do)
	}
	switch c.Do {
	case Export:
		return c.checkExport(terminal)
	case Commissioned:
		return c.checkCommission(terminal)
	case Block, Unblock, Wipe, Refetch:
		if len(c.Settings) > 0 {
			return fmt.Errorf("command %q takes no settings", c.Do)
		}
	case Introduce:
		if len(c.Settings) != 1 || !ValidName(c.Settings["terminal"]) || terminal != "" {
			return errors.New("an introduction names one terminal and is addressed to all")
		}
	case Configure:
		if len(c.Settings) == 0 || len(c.Settings) > 64 {
			return errors.New("a config command needs 1 to 64 settings")
		}
	default:
		return fmt.Errorf("%.20q is no command", c.Do)
	}
	for k, v := range c.Settings {
		if k == "" || len(k) > 64 || len(v) > 1024 {
			return errors.New("a setting is too long or has no name")
		}
	}
	if terminal == "" && (c.Do == Wipe || c.Do == Refetch) {
		return errors.New("a wipe is addressed to one terminal")
	}
	return nil
}

// checkExport wants one addressee: a terminal that joins later must not carry out what was asked before its time.
func (c *Command) checkExport(terminal string) error {
	if terminal == "" || len(c.Settings) > 0 || c.Order.Requester != "" || c.Order.Identity != "" {
		return errors.New("an export is addressed to one terminal and names no requester")
	}
	return c.Order.Check()
}

// checkCommission wants one addressee: what was looked into for one till says nothing of another.
func (c *Command) checkCommission(terminal string) error {
	if terminal == "" || len(c.Settings) > 0 {
		return errors.New("a commission is addressed to one terminal and takes no settings")
	}
	return c.Commission.Check()
}

func (p *Profile) check() error {
	for _, s := range []string{p.School, p.Purpose, p.Modality, p.Zone, p.Contact} {
		if len(s) > 200 {
			return errors.New("a text of the profile is longer than 200 bytes")
		}
	}
	if p.PINDigits != 0 && (p.PINDigits < 4 || p.PINDigits > 10) {
		return errors.New("the profile has PINs of a length that cannot be")
	}
	if p.Unused < 0 {
		return errors.New("the profile keeps unused fingers for a time that cannot be")
	}
	if !p.Keep.IsZero() && (!p.Keep.Valid() || p.Biometrics) {
		return errors.New("the profile keeps templates until a day that cannot be")
	}
	return nil
}

// ValidName reports whether s can name a site or a terminal: 1 to 32 characters of a-z, 0-9 and "-", not "-" first.
func ValidName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' && i > 0) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 32
}
