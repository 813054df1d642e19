package config

import (
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Length is a length of time written as "168h" or "250ms".
type Length time.Duration

// UnmarshalText reads a length of time; it must not be negative.
func (l *Length) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%.40q is no length of time; write it as 90s, 15m or 168h", text)
	}
	*l = Length(d)
	return nil
}

// MarshalText writes the length as UnmarshalText reads it.
func (l Length) MarshalText() ([]byte, error) { return []byte(time.Duration(l).String()), nil }

// Log is the [log] table of every configuration.
type Log struct {
	Level slog.Level `toml:"level"`
}

// Logger writes structured lines to w from the configured level up.
func (l Log) Logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l.Level}))
}
