package zfmsim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/tillprint/tillprint/matcher/sample"
)

// Help describes the commands that Control takes.
const Help = `press FILE          lay the finger in this picture on the glass
lift                take the finger away
fault NAME [TIMES]  let something fail, see "faults"
faults              list what can fail
unplug, plug        pull the cable, connect it again
status              tell what the module holds
quit                end
`

// errQuit ends Control.
var errQuit = errors.New("quit")

// Control obeys commands read from r, one a line, and answers each with lines written to w, the last of which begins
// with "ok" or "error:". It returns at the command quit, at the end of r, or when ctx ends; a read under way from r then
// remains until r delivers or is closed.
func (s *Sim) Control(ctx context.Context, r io.Reader, w io.Writer) error {
	lines := make(chan string)
	failed := make(chan error, 1)
	go func() {
		in := bufio.NewScanner(r)
		for in.Scan() {
			select {
			case lines <- in.Text():
			case <-ctx.Done():
				return
			}
		}
		failed <- in.Err()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case line := <-lines:
			if quit, err := s.answer(line, w); quit || err != nil {
				return err
			}
		}
	}
}

// answer obeys one line; err is a failure to write.
func (s *Sim) answer(line string, w io.Writer) (quit bool, err error) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	text, doing := s.do(word, strings.TrimSpace(rest))
	switch {
	case word == "":
		return false, nil
	case errors.Is(doing, errQuit):
		_, err = fmt.Fprintln(w, "ok")
		return true, err
	case doing != nil:
		_, err = fmt.Fprintf(w, "error: %v\n", doing)
	default:
		_, err = fmt.Fprint(w, text, "ok\n")
	}
	return false, err
}

func (s *Sim) do(word, rest string) (text string, err error) {
	switch word {
	case "":
	case "press":
		return "", s.pressFile(rest)
	case "lift":
		s.Lift()
	case "fault":
		return "", s.faultByName(rest)
	case "faults":
		for _, k := range Faults() {
			text += string(k) + "\n"
		}
	case "unplug":
		s.Unplug()
	case "plug":
		err = s.Replug()
		return "path " + s.Path() + "\n", err
	case "status":
		return s.status(), nil
	case "help":
		return Help, nil
	case "quit":
		return "", errQuit
	default:
		return "", fmt.Errorf("no command is called %q: try help", word)
	}
	return text, nil
}

// pressFile shows the picture at path to the sensor as a press of that finger would.
func (s *Sim) pressFile(path string) error {
	if path == "" {
		return errors.New("press needs the path of a picture")
	}
	picture, err := sample.ReadFile(path)
	if err != nil {
		return err
	}
	defer picture.Clear()
	seen := s.Sensor().Press(picture)
	defer seen.Clear()
	return s.Press(seen)
}

func (s *Sim) faultByName(rest string) error {
	name, times, _ := strings.Cut(rest, " ")
	f := Fault{Kind: FaultKind(name)}
	if times != "" {
		n, err := strconv.Atoi(strings.TrimSpace(times))
		if err != nil || n < 1 || n > 1000 {
			return fmt.Errorf("fault %s: %q is no number of times from 1 to 1000", name, times)
		}
		f.Times = n
	}
	return s.Fault(f)
}

func (s *Sim) status() string {
	path := s.Path()
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("model %v\npath %s\nbaud %d\nfinger %t\nimage %t\nlibrary writes %d\n",
		s.options.Model, path, s.module.baud, s.glass != nil, s.image != nil, s.written)
}
