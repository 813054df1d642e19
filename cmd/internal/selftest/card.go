package selftest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// clock says what keeps the time, and whether it can be right.
func (p Plan) clock(f *findings, sys fs.FS, now time.Time) {
	keeper := "no clock module: the time comes from the network, and from the hub"
	if name, err := fs.ReadFile(sys, "class/rtc/rtc0/name"); err == nil {
		keeper = "clock module " + strings.TrimSpace(string(name))
	}
	switch {
	case p.Confirmed != nil && p.Confirmed():
		f.good("Clock", "%s; the hub has confirmed it", keeper)
	case now.Year() < 2026:
		f.warn("Clock", "%s; it says %s, which cannot be: dates count when the hub has told the time", keeper, now.Format(time.DateOnly))
	default:
		f.good("Clock", "%s; not yet confirmed by the hub", keeper)
	}
}

// What a terminal needs of its card: a decision writes a few records, each waiting for the card.
const (
	cardBytes   = 4 << 20
	cardSyncs   = 16
	slowCard    = 2 << 20 // bytes a second
	slowSync    = 200 * time.Millisecond
	cardPattern = ".selftest-*"
)

// card writes a file beside the store, in one piece and then in small ones that must reach the card, and deletes it.
func (p Plan) card(f *findings) {
	speed, slowest, err := measureCard(p.Dir)
	switch {
	case errors.Is(err, errAltered):
		f.bad("Card", "it gives back other bytes than were written: replace it today")
	case err != nil:
		f.bad("Card", "it cannot be written: %v; is it full, worn or write-protected?", err)
	case speed < slowCard || slowest > slowSync:
		f.warn("Card", "slow: %.1f MB/s, %d ms for a small record; take a faster one", speed/1e6, slowest.Milliseconds())
	default:
		f.good("Card", "%.1f MB/s, %d ms for a small record", speed/1e6, slowest.Milliseconds())
	}
}

var errAltered = errors.New("read back altered")

func measureCard(dir string) (bytesPerSecond float64, slowest time.Duration, err error) {
	file, err := os.CreateTemp(dir, cardPattern)
	if err != nil {
		return 0, 0, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	data := make([]byte, cardBytes)
	if _, err := rand.Read(data); err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	if _, err = file.Write(data); err == nil {
		err = file.Sync()
	}
	if err != nil {
		return 0, 0, err
	}
	bytesPerSecond = cardBytes / time.Since(begin).Seconds()
	for i := range cardSyncs {
		begin := time.Now()
		if _, err = file.WriteAt(data[:4096], int64(i)*4096); err == nil {
			err = file.Sync()
		}
		if err != nil {
			return 0, 0, err
		}
		copy(data[i*4096:(i+1)*4096], data[:4096])
		slowest = max(slowest, time.Since(begin))
	}
	got, err := os.ReadFile(file.Name())
	if err != nil {
		return 0, 0, fmt.Errorf("reading back: %w", err)
	}
	if string(got) != string(data) {
		return 0, 0, errAltered
	}
	return bytesPerSecond, slowest, nil
}
