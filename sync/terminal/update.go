package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

// Offer asks which version the hub has staged for this terminal; nil if there is none, or its wave has not begun.
func (c *Client) Offer(ctx context.Context) (*register.UpdateOffer, error) {
	out, err := c.ask(ctx, http.MethodGet, "/v1/update", "", nil, 0)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	o := new(register.UpdateOffer)
	if err := register.Decode(out, o); err != nil {
		return nil, err
	}
	return o, nil
}

// partTime is how long a part may take besides the time of any answer: MaxUpdatePart at 14 kB/s. One that is broken off is asked
// for anew from its beginning, so that a slower line brings nothing.
const partTime = 5 * time.Minute

// FetchUpdate brings a file of an offered version to path, up to a size, and goes on where an earlier call was broken off.
// What it brings is the hub's word only: compare it with the release statement.
func (c *Client) FetchUpdate(ctx context.Context, o *register.UpdateOffer, name, path string, size int64) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("fetching an update: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	at, err := file.Seek(0, io.SeekEnd)
	if err == nil && at > size {
		at = 0
		err = file.Truncate(0)
	}
	if err != nil {
		return fmt.Errorf("fetching an update: %w", err)
	}
	for at < size {
		q := url.Values{"sequence": {strconv.FormatUint(o.Sequence, 10)}, "name": {name}, "from": {strconv.FormatInt(at, 10)}}
		part, err := c.ask(ctx, http.MethodGet, "/v1/update/file", q.Encode(), nil, partTime)
		if err != nil {
			return fmt.Errorf("fetching %s of an update: %w", name, err)
		}
		if len(part) == 0 {
			return nil // shorter than was said: the comparison with the statement tells
		}
		n, err := file.WriteAt(part[:min(int64(len(part)), size-at)], at)
		if err == nil {
			err = file.Sync() // a cut must not leave a hole before a later part
		}
		if err != nil {
			return fmt.Errorf("fetching %s of an update: %w", name, err)
		}
		at += int64(n)
	}
	return nil
}
