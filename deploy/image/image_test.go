// Package image_test tries the parts of the image's making that need no Debian: its device trees and scripts.
package image_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// board is what the script needs of a board's device tree, in the words of mainline's.
const board = `/dts-v1/;
/ {
	chosen { stdout-path = "serial0:115200n8"; };
	soc {
		#address-cells = <1>; #size-cells = <1>;
		gpio@7e200000 {
			reg = <0x7e200000 0xb4>;
			uart: uart0-gpio14 { };
			spi: spi0-gpio7 { };
		};
		serial@7e201000 { reg = <0x7e201000 0x200>; uart-has-rtscts; bluetooth { }; };
		serial@7e215040 { reg = <0x7e215040 0x40>; status = "okay"; };
		spi@7e204000 { reg = <0x7e204000 0x200>; #address-cells = <1>; #size-cells = <0>; status = "disabled"; };
		i2c@7e804000 { reg = <0x7e804000 0x1000>; #address-cells = <1>; #size-cells = <0>; status = "disabled"; };
		user { pins = <&uart &spi>; };
	};
};
`

// The device tree gives the header to the terminal's parts, clock and TPM among them.
func TestDeviceTree(t *testing.T) {
	need(t, "dtc", "fdtget", "fdtput")
	tree := filepath.Join(t.TempDir(), "board.dtb")
	compile := exec.Command("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree)
	compile.Stdin = strings.NewReader(board)
	run(t, compile)
	run(t, exec.Command("./dtb", tree))
	for _, c := range []struct{ node, property, kind, want string }{
		{"/soc/serial@7e201000", "status", "s", "okay"},
		{"/soc/serial@7e201000/bluetooth", "status", "s", "disabled"},
		{"/soc/serial@7e215040", "status", "s", "disabled"},
		{"/soc/i2c@7e804000", "status", "s", "okay"},
		{"/soc/i2c@7e804000/rtc@68", "compatible", "s", "maxim,ds3231"},
		{"/soc/i2c@7e804000/rtc@68", "reg", "x", "68"},
		{"/soc/spi@7e204000", "status", "s", "okay"},
		{"/soc/spi@7e204000/tpm@1", "compatible", "s", "infineon,slb9670 tcg,tpm_tis-spi"},
		{"/soc/spi@7e204000/tpm@1", "reg", "u", "1"}, // CE1
		{"/soc/spi@7e204000/tpm@1", "spi-max-frequency", "u", "32000000"},
	} {
		if got := run(t, exec.Command("fdtget", "-t", c.kind, tree, c.node, c.property)); got != c.want {
			t.Errorf("%s %s is %q, want %q", c.node, c.property, got, c.want)
		}
	}
	if exec.Command("fdtget", tree, "/chosen", "stdout-path").Run() == nil {
		t.Error("a console is left on the sensor's UART")
	}
}

func run(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", c, err, out)
	}
	return strings.TrimSpace(string(out))
}

func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not on this machine", tool)
		}
	}
}
