package clitest

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"regexp"
)

// Stream is a page's events as they come, from its first one on: a state that lasts some seconds cannot be missed in it, however slow
// the machine is.
type Stream struct {
	lines *bufio.Scanner
	stop  func()
}

// Follow begins a stream. Close it.
func Follow(address string) (*Stream, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		cancel()
		return nil, err
	}
	s := &Stream{bufio.NewScanner(answer.Body), func() { cancel(); answer.Body.Close() }}
	s.lines.Buffer(nil, 1<<20)
	return s, nil
}

// Close ends the stream.
func (s *Stream) Close() { s.stop() }

// Until reads on to the next line that matches and returns what its groups hold, the whole match first.
func (s *Stream) Until(pattern *regexp.Regexp) ([]string, error) {
	for s.lines.Scan() {
		if found := pattern.FindStringSubmatch(s.lines.Text()); found != nil {
			return found, nil
		}
	}
	return nil, errors.Join(s.lines.Err(), errors.New("the page's events ended without "+pattern.String()))
}
