package crashtest

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// descriptor is an open file of the traced program.
type descriptor struct {
	path string // relative; of the folder itself "."
	file int    // -1: a folder, or a file that was not created in this trace
	pos  int64  // where the next plain write goes
	mark bool   // the file of marks
}

type parser struct {
	dir, marks string
	open       map[string]*descriptor
	names      map[string]int // files by their present path
	files      int
	ops        []Op
}

// line takes one complete call, such as: fsync(5) = 0
func (p *parser) line(text string) error {
	name, rest, ok := strings.Cut(text, "(")
	end := strings.LastIndex(rest, ") ")
	if !ok || end < 0 {
		return nil // a signal or the end of a process
	}
	_, result, _ := strings.Cut(rest[end:], "= ")
	result, _, _ = strings.Cut(result, " ")
	if strings.HasPrefix(result, "-") || result == "?" {
		return nil // it failed: nothing has changed
	}
	args := strings.Split(strings.TrimSpace(rest[:end]), ", ")
	switch name {
	case "open":
		return p.opened(args[0], args[1], result)
	case "openat":
		return p.opened(args[1], args[2], result)
	case "close":
		delete(p.open, args[0])
	case "rename":
		return p.rename(args[0], args[1])
	case "renameat", "renameat2":
		return p.rename(args[1], args[3])
	case "unlink":
		return p.name(Remove, args[0])
	case "unlinkat":
		return p.name(Remove, args[1])
	case "mkdir":
		return p.name(Mkdir, args[0])
	case "mkdirat":
		return p.name(Mkdir, args[1])
	default:
		return p.io(name, args, result)
	}
	return nil
}

// relative gives the path below the recorded folder.
func (p *parser) relative(quoted string) (string, bool) {
	path, err := unquote(quoted)
	if err != nil {
		return "", false
	}
	rel, err := filepath.Rel(p.dir, string(path))
	return rel, err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

func unquote(quoted string) ([]byte, error) {
	return hex.DecodeString(strings.ReplaceAll(strings.Trim(quoted, `"`), `\x`, ""))
}

func (p *parser) opened(quoted, flags, fd string) error {
	delete(p.open, fd)
	if path, err := unquote(quoted); err == nil && string(path) == p.marks {
		p.open[fd] = &descriptor{mark: true}
		return nil
	}
	rel, ok := p.relative(quoted)
	if !ok {
		return nil
	}
	file, known := p.names[rel]
	switch {
	case known:
		if strings.Contains(flags, "O_TRUNC") {
			p.ops = append(p.ops, Op{Kind: Truncate, Path: rel, File: file})
		}
	case strings.Contains(flags, "O_CREAT"):
		file = p.files
		p.files++
		p.names[rel] = file
		p.ops = append(p.ops, Op{Kind: Create, Path: rel, File: file})
	default:
		file = -1
	}
	if strings.Contains(flags, "O_APPEND") {
		return fmt.Errorf("crashtest: %s is opened for appending, which the model does not know", rel)
	}
	p.open[fd] = &descriptor{path: rel, file: file}
	return nil
}

func (p *parser) rename(from, to string) error {
	a, inside := p.relative(from)
	b, too := p.relative(to)
	if !inside && !too {
		return nil
	}
	file, known := p.names[a]
	if !inside || !too || !known || filepath.Dir(a) != filepath.Dir(b) {
		return fmt.Errorf("crashtest: a rename from %s to %s, which the model does not know", a, b)
	}
	delete(p.names, a)
	p.names[b] = file
	p.ops = append(p.ops, Op{Kind: Rename, Path: a, To: b})
	return nil
}

func (p *parser) name(k Kind, quoted string) error {
	rel, ok := p.relative(quoted)
	if !ok {
		return nil
	}
	delete(p.names, rel)
	p.ops = append(p.ops, Op{Kind: k, Path: rel})
	return nil
}

// io takes the calls that begin with a descriptor.
func (p *parser) io(name string, args []string, result string) error {
	d := p.open[args[0]]
	if d == nil {
		return nil
	}
	switch {
	case d.mark && name == "write":
		text, err := unquote(args[1])
		p.ops = append(p.ops, Op{Kind: Mark, Text: string(text)})
		return err
	case d.mark:
		return nil
	case name == "fsync" && d.file < 0:
		p.ops = append(p.ops, Op{Kind: SyncDir, Path: d.path})
	case name == "fsync" || name == "fdatasync":
		p.ops = append(p.ops, Op{Kind: Sync, Path: d.path, File: d.file})
	case name == "ftruncate":
		size, err := strconv.ParseInt(args[1], 10, 64)
		p.ops = append(p.ops, Op{Kind: Truncate, Path: d.path, File: d.file, At: size})
		return err
	case name == "fallocate" && args[1] == "FALLOC_FL_KEEP_SIZE": // nothing that can be read changes
	case name == "write":
		err := p.write(d, args[1], d.pos, result)
		d.pos += int64(len(p.ops[len(p.ops)-1].Data))
		return err
	case name == "pwrite64":
		at, err := strconv.ParseInt(args[3], 10, 64)
		if err != nil {
			return err
		}
		return p.write(d, args[1], at, result)
	default:
		return fmt.Errorf("crashtest: %s of %s, which the model does not know", name, d.path)
	}
	return nil
}

func (p *parser) write(d *descriptor, quoted string, at int64, result string) error {
	data, err := unquote(quoted)
	if err != nil {
		return fmt.Errorf("crashtest: a write to %s that does not read: %w", d.path, err)
	}
	if n, err := strconv.Atoi(result); err != nil || n != len(data) || d.file < 0 {
		return fmt.Errorf("crashtest: a write of %s bytes to %s was recorded with %d", result, d.path, len(data))
	}
	p.ops = append(p.ops, Op{Kind: Write, Path: d.path, File: d.file, At: at, Data: data})
	return nil
}
