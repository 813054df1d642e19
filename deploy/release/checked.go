package release

import (
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// checked reads exactly what was released, or fails.
type checked struct {
	from  io.Reader
	left  int64 // bytes still to come
	sum   hash.Hash
	file  File
	close func() // nil if there is nothing to close
}

func (c *checked) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, c.end()
	}
	n, err := c.from.Read(b[:min(int64(len(b)), c.left)])
	c.sum.Write(b[:n])
	c.left -= int64(n)
	if err == io.EOF {
		if err = nil; c.left > 0 {
			err = ErrCutShort
		}
	}
	if err != nil {
		return n, fmt.Errorf("unpacking %s: %w", c.file.Name, err)
	}
	return n, nil
}

// end says whether all that was read is what was released.
func (c *checked) end() error {
	if hex.EncodeToString(c.sum.Sum(nil)) != c.file.Unpacked.SHA256 {
		return fmt.Errorf("unpacking %s: %w", c.file.Name, ErrAltered)
	}
	if n, _ := io.CopyN(io.Discard, c.from, 1); n > 0 {
		return fmt.Errorf("unpacking %s: %w", c.file.Name, ErrTooLong)
	}
	return io.EOF
}

func (c *checked) Close() error {
	if c.close != nil {
		c.close()
	}
	return nil
}
