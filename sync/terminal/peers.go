package terminal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

const settingPeers = "sync.peers" // the site's other terminals, as JSON

// peers lists the site's other terminals.
func (c *Client) peers() ([]register.Peer, error) {
	b, err := c.o.Store.Setting(settingPeers)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	var all []register.Peer
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("%w: the list of terminals cannot be read", errStore)
	}
	return all, nil
}

// introduce queues what this terminal may pass on for another of the site.
func (c *Client) introduce(terminal string) error {
	if terminal == c.id.Terminal {
		return nil
	}
	_, err := c.o.Store.Enqueue(store.Item{Kind: itemIntroduce, Text: terminal, Refetched: true})
	return err
}

// notePeers keeps a new list of terminals and queues an introduction for each that was not on the one before. A terminal that
// comes back under its name with other keys is a new one.
func (c *Client) notePeers(list []register.Peer) error {
	if list == nil {
		return nil
	}
	before, err := c.peers()
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(slices.Clone(list), func(p register.Peer) bool { return p.ID == c.id.Terminal })
	for _, p := range list {
		known := func(old register.Peer) bool { return old.ID == p.ID && slices.Equal(old.Seal, p.Seal) }
		if slices.ContainsFunc(before, known) {
			continue
		}
		if err := c.introduce(p.ID); err != nil {
			return err
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return c.o.Store.SetSetting(settingPeers, b)
}
