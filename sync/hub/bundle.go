package hub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/tillprint/tillprint/sync/register"
)

// bundlesFolder is where the hub keeps updates, below its directory.
const bundlesFolder = "updates"

// Bundle is a version that terminals can be updated to.
type Bundle struct {
	Version  string `json:"version"`
	Sequence uint64 `json:"sequence"`
}

// AddBundle copies the files of a version into the hub's directory. The caller has checked them: the hub knows no release
// key, and every terminal checks them again.
func (h *Hub) AddBundle(ctx context.Context, b Bundle, folder string) error {
	if b.Sequence == 0 || b.Sequence > 1<<62 || b.Version == "" || len(b.Version) > 64 {
		return fmt.Errorf("%w: a version needs a name and a sequence", ErrInvalid)
	}
	name := filepath.Join(bundlesFolder, strconv.FormatUint(b.Sequence, 10))
	to := filepath.Join(h.config.Dir, name)
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fmt.Errorf("keeping version %s: %w", b.Version, err)
	}
	for _, file := range register.UpdateFiles {
		if err := copyDurably(filepath.Join(to, file), filepath.Join(folder, file)); err != nil {
			return fmt.Errorf("keeping version %s: %w", b.Version, err)
		}
	}
	return h.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO bundles (sequence, version, folder, added) VALUES ($1, $2, $3, $4)
			ON CONFLICT (sequence) DO UPDATE SET version = $2, folder = $3, added = $4`, int64(b.Sequence), b.Version, name, at(h.config.Now()))
		return err
	})
}

// copyDurably leaves the old file, or none, where it fails.
func copyDurably(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), ".part-*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name()) // gone already when all went well
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

// Bundles lists the versions that can be staged, newest first.
func (h *Hub) Bundles(ctx context.Context) ([]Bundle, error) {
	all := []Bundle{}
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var b Bundle
		var sequence int64
		err := r.Scan(&sequence, &b.Version)
		b.Sequence = uint64(sequence)
		all = append(all, b)
		return err
	}, `SELECT sequence, version FROM bundles ORDER BY sequence DESC`)
	if err != nil {
		return nil, fmt.Errorf("listing versions: %w", err)
	}
	return all, nil
}

// serveUpdateFile hands out part of a file of the version that is staged for the caller.
func (h *Hub) serveUpdateFile(w http.ResponseWriter, r *http.Request, _ []byte, c caller) error {
	q := r.URL.Query()
	from, err := strconv.ParseInt(q.Get("from"), 10, 64)
	name := q.Get("name")
	if err != nil || from < 0 || !slices.Contains(register.UpdateFiles, name) {
		return fail(http.StatusBadRequest, register.CodeMalformed, "a file of an update and a place in it are needed")
	}
	o, folder, err := h.offered(r.Context(), c)
	if err != nil {
		return err
	}
	if o == nil || strconv.FormatUint(o.Sequence, 10) != q.Get("sequence") {
		return fail(http.StatusNotFound, register.CodeUnknown, "this version is not staged for this terminal")
	}
	file, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		return fmt.Errorf("reading an update: %w", err)
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	_, err = io.Copy(w, io.NewSectionReader(file, from, register.MaxUpdatePart))
	if err != nil { // the terminal hung up, or the disk fails; it sees that bytes are missing
		h.config.Log.Warn("an update's file was broken off", "terminal", c.terminal, "err", err)
	}
	return nil
}
