package keyslot

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// i2cChip says where in a memory chip the slot may write.
type i2cChip struct {
	address uint16 // on the bus, as delivered; 7 bits
	start   int    // first byte of the slot; what lies before belongs to the clock
	wide    bool   // positions are sent as two bytes, high one first
	page    int    // a write must not cross a multiple of it; 0 for no such limit

	// cycle is the longest time that the chip refuses to answer after a write; 0 for a chip that writes at once.
	cycle time.Duration
}

// The chips that the slot knows, from their data sheets: Microchip/Atmel AT24C32 (on DS3231 clock modules, with all address
// pins high) and AT24C256, Fujitsu MB85RC256V (FRAM), Analog Devices DS3232 (battery-backed SRAM behind its registers),
// Microchip MCP7940x (SRAM at 0x20). Each has room for two places.
var i2cChips = map[string]i2cChip{
	"at24c32":   {address: 0x57, wide: true, page: 32, cycle: 20 * time.Millisecond},
	"at24c256":  {address: 0x50, wide: true, page: 64, cycle: 10 * time.Millisecond},
	"mb85rc256": {address: 0x50, wide: true},
	"ds3232":    {address: 0x68, start: 0x14},
	"mcp7940x":  {address: 0x6f, start: 0x20},
}

// I2CChips lists the names of the memory chips that the slot knows.
func I2CChips() []string { return slices.Sorted(maps.Keys(i2cChips)) }

func findChip(name string) (i2cChip, error) {
	chip, known := i2cChips[name]
	if !known {
		return chip, fmt.Errorf("%.40q is no memory chip that this program knows: set keyslot.i2c.chip to one of %s", name, strings.Join(I2CChips(), ", "))
	}
	return chip, nil
}

// position is what goes over the wire before the data.
func (c i2cChip) position(at int) []byte {
	if c.wide {
		return []byte{byte(at >> 8), byte(at)}
	}
	return []byte{byte(at)}
}
