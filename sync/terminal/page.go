package terminal

import (
	"context"
	"net/http"

	"github.com/tillprint/tillprint/sync/register"
)

// Page asks the hub whom the page on the school's network may let in, and for the page's certificate if request, PKCS #10, is not
// empty. The connection is to the hub's pinned key, so the answer is the hub's.
func (c *Client) Page(ctx context.Context, request []byte) (*register.PageAnswer, error) {
	if c.Waiting() {
		return nil, errWaiting
	}
	out, err := c.ask(ctx, http.MethodPost, "/v1/page", "", register.PageRequest{Request: request}, 0)
	if err != nil {
		return nil, err
	}
	a := new(register.PageAnswer)
	if err := register.Decode(out, a); err != nil {
		return nil, err
	}
	return a, a.Check()
}
