package terminald

import (
	"github.com/tillprint/tillprint/cmd/internal/machine"
	"github.com/tillprint/tillprint/till"
)

// board says what the kernel tells of the machine, as far as it does.
func (d *Diagnosis) board(b machine.State) {
	const hot, worn = 80, 8 // degrees at which a Pi slows down; tenths of a card's life
	if b.Celsius != nil {
		d.find("Board", warnIf(*b.Celsius >= hot), "%.0f °C", *b.Celsius)
	}
	switch {
	case b.Throttled == nil && b.Weak == nil:
		d.find("Board", till.Good, "not told by this kernel: whether it is short of power or slowed down")
	case b.Throttled == nil && *b.Weak:
		d.find("Board", till.Warn, "short of power: take the board's own power supply; this kernel does not tell whether it slows down")
	case b.Throttled == nil:
		d.find("Board", till.Good, "not short of power; this kernel does not tell whether it slows down")
	case *b.Throttled == 0:
		d.find("Board", till.Good, "never slowed down since its start")
	default:
		d.find("Board", till.Warn, "slowed down or short of power since its start (%#x): take the board's own power supply, give it air", *b.Throttled)
	}
	if b.Written != nil {
		d.find("Card", till.Good, "%d MiB written since the board's start", *b.Written>>20)
	}
	if b.Worn != nil {
		d.find("Card", warnIf(*b.Worn >= worn), "%d tenths of its life used up, by its own account", *b.Worn)
	}
	switch {
	case b.Faults == nil:
	case *b.Faults == 0:
		d.find("Card", till.Good, "its file systems have met no errors")
	default:
		d.find("Card", till.Bad, "its file systems have met %d errors: replace it", *b.Faults)
	}
}

func warnIf(much bool) till.Level {
	if much {
		return till.Warn
	}
	return till.Good
}
