package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/sync/hub"
)

// maxRequest bounds a terminal's request, in bytes.
const maxRequest = 64 << 10

func joinAnswerCommand(s *settings) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "join-answer REQUEST -o ANSWER",
		Short: "Answer a terminal that joins without a network",
		Long: `Answer the request that a terminal without a network has written ('tillprintd join CODE --request FILE', or
tillprint-request.json on the first partition of a flashed card), and admit the terminal. The answer holds the hub's identity,
the signed register with its lease, and, once the terminal has been commissioned, the records of the people, sealed to this
terminal; nothing else of it is secret. While the code lives the same request can be answered again: admit, commission, answer again.`,
		Example: "  tillprint-hub join-answer request.json -o answer.json",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return cli.Usage(fmt.Errorf("-o is missing: name the file for the answer"))
			}
			file, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("reading the request: %w", err)
			}
			defer file.Close()
			request, err := io.ReadAll(io.LimitReader(file, maxRequest+1))
			if err != nil {
				return fmt.Errorf("reading the request: %w", err)
			}
			return s.with(c.Context(), func(h *hub.Hub) error {
				answer, name, err := h.JoinFile(c.Context(), administrator, request)
				if err != nil {
					return err
				}
				if err := os.WriteFile(out, answer, 0o600); err != nil {
					return fmt.Errorf("writing the answer: %w", err)
				}
				fmt.Fprintf(c.OutOrStdout(), "the terminal is %s; carry %s back to it\n", name, out)
				return nil
			})
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "file for the answer")
	return c
}
