package zfm

import (
	"context"
	"fmt"
)

// LightMode is what a module's light does.
type LightMode uint8

// Light modes, with the same numbers in both families that have a ring light.
const (
	Breathing LightMode = 1 + iota
	Flashing
	On
	Off
	FadeOn
	FadeOff
)

// Colour is a light's colour, as bits of red, green and blue.
type Colour uint8

// Colours of the ring light. The first R503 revision has only Red, Blue and Purple.
const (
	Blue   Colour = 1
	Green  Colour = 2
	Cyan   Colour = 3
	Red    Colour = 4
	Purple Colour = 5
	Yellow Colour = 6
	White  Colour = 7
)

// Light is what a module's own light shall do.
type Light struct {
	Mode   LightMode
	Colour Colour
	Speed  uint8 // of breathing, flashing and fading, 0 (fast) to 255 (slow); a ZW has one speed only
	Cycles uint8 // of breathing and flashing; 0 means without end
}

// auraColours are the numbers that an R503 uses for colours (manual, AuraLedConfig).
var auraColours = map[Colour]byte{Red: 1, Blue: 2, Purple: 3, Green: 4, Yellow: 5, Cyan: 6, White: 7}

// LED sets the module's light. A ZFM has a plain one: anything but Off and FadeOff switches it on, and captures leave
// it on until it is switched off.
func (m *Module) LED(ctx context.Context, light Light) error {
	return m.do(ctx, func(ctx context.Context, l *link) error { return l.light(ctx, light) })
}

func (l *link) light(ctx context.Context, light Light) error {
	c, err := lightCommand(l.info.Family, light)
	if err != nil {
		return err
	}
	if _, err := l.exchange(ctx, c); err != nil {
		return fmt.Errorf("setting the sensor's light: %w", err)
	}
	if l.info.Family == ZFM {
		l.lit = c.code == LightOn
	}
	return nil
}

// lightCommand is the family's own wording of light.
func lightCommand(f Family, light Light) (command, error) {
	colour, ok := auraColours[light.Colour]
	dark := light.Mode == Off || light.Mode == FadeOff
	if light.Mode < Breathing || light.Mode > FadeOff || (!ok && !dark) {
		return command{}, fmt.Errorf("light mode %d with colour %d does not exist: %w", light.Mode, light.Colour, ErrUnsupported)
	}
	c := command{repeatable: true}
	switch f {
	case R503:
		c.code, c.parameters = AuraLight, []byte{byte(light.Mode), light.Speed, max(colour, 1), light.Cycles}
	case ZW:
		c.code, c.parameters = ZWLight, []byte{byte(light.Mode), byte(light.Colour), byte(light.Colour), light.Cycles}
	case ZFM:
		c.code = LightOn
		if dark {
			c.code = LightOff
		}
	default:
		return command{}, fmt.Errorf("light of a module of unknown family: %w", ErrUnsupported)
	}
	return c, nil
}
