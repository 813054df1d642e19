package till

import (
	"context"

	"github.com/tillprint/tillprint/store/audit"
)

type accountKey struct{}

// As returns a context whose actions are done by an account of their own, instead of [Config.Operator]: that of a browser which
// has said who it is. It stands in the audit log and on receipts.
func As(ctx context.Context, account string) context.Context {
	return context.WithValue(ctx, accountKey{}, audit.Word(account))
}

// accountOf is the account that an action's context names; "" for whoever works the till.
func accountOf(ctx context.Context) string {
	account, _ := ctx.Value(accountKey{}).(string)
	return account
}

// operator is the account to write down for what the till does at this moment. It is called on the till's goroutine.
func (t *Till) operator() string {
	if t.acting != "" {
		return t.acting
	}
	return t.cfg.Operator
}
