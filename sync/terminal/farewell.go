package terminal

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

// farewellTime is how long a terminal that is no more tries to say so.
const farewellTime = 20 * time.Second

// Farewell gives the hub the certificate of a terminal whose keys are destroyed, signed with what is left of them in memory (L1). After an
// error the certificate has to be carried to the hub.
func Farewell(ctx context.Context, p Place, key ed25519.PrivateKey, certificate string) error {
	report := register.Report{ID: "decommissioned", Kind: register.ReportDecommissioned, At: time.Now().UTC(), Body: certificate}
	body, err := json.Marshal(register.Reports{Reports: []register.Report{report}})
	if err != nil {
		return fmt.Errorf("telling the hub: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, farewellTime)
	defer cancel()
	w := newWire(p.Hubs, p.Pin)
	defer w.close()
	out, err := w.tryAll(ctx, func(ctx context.Context) ([]byte, error) {
		return w.sendSigned(ctx, http.MethodPost, "/v1/reports", "", body, p.Site, p.Terminal, key)
	})
	if err != nil {
		return fmt.Errorf("%s (%w)", explain(err), err)
	}
	var answer register.Accepted
	if err := register.Decode(out, &answer); err != nil {
		return err
	}
	if len(answer.Done) != 1 {
		return errors.New("the hub did not take the certificate")
	}
	return nil
}
