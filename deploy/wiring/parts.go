package main

// header is the Raspberry Pi's 40-pin header, pin 1 first: what each pin is called.
var header = [40]string{
	"3V3", "5V", "GPIO2 SDA", "5V", "GPIO3 SCL", "GND", "GPIO4", "GPIO14 TXD", "GND", "GPIO15 RXD",
	"GPIO17", "GPIO18", "GPIO27", "GND", "GPIO22", "GPIO23", "3V3", "GPIO24", "GPIO10 MOSI", "GND",
	"GPIO9 MISO", "GPIO25", "GPIO11 SCLK", "GPIO8 CE0", "GND", "GPIO7 CE1", "ID SD", "ID SC", "GPIO5", "GND",
	"GPIO6", "GPIO12", "GPIO13", "GND", "GPIO19", "GPIO16", "GPIO26", "GPIO20", "GND", "GPIO21",
}

// wire leads from a contact of the part to a pin of the header.
type wire struct {
	contact string
	colour  string // as drawn, to tell the lines apart
	pin     int
	via     string // what sits in between
}

// part is one drawing.
type part struct {
	file, title string
	notes       []string
	wires       []wire
	option      bool // takes the place of another part
}

// parts are all that the manual shows. The sensors' contacts are numbered as in the maker's manuals: GROW's R503 (connector
// MX1.0-6P) and R307 (J1). Those name no colours, and cables differ: the number counts, and the lines' colours mean nothing.
var parts = []part{
	{file: "r503.svg", title: "R503 fingerprint sensor", notes: []string{"3.3 V only: 5 V destroys it. Count the contacts; cables' colours differ.", "Touch: trigger = \"line\", pin = \"GPIO17\", active_low = true"},
		wires: []wire{
			{"VCC 3.3 V (1)", "#c22", 1, ""}, {"3.3VT touch supply (6)", "#999", 1, ""}, {"GND (2)", "#222", 6, ""},
			{"TXD (3)", "#b80", 10, ""}, {"RXD (4)", "#841", 8, ""}, {"WAKEUP (5)", "#26c", 11, ""},
		}},
	{file: "r307.svg", title: "R307 fingerprint sensor", option: true, notes: []string{"Supply 5 V, signals 3.3 V. Count the contacts; cables' colours differ.", "Touch: trigger = \"line\", pin = \"GPIO17\"; if no finger is noticed, change active_low."},
		wires: []wire{
			{"VCC 5 V (1)", "#c22", 2, ""}, {"GND (2)", "#222", 6, ""}, {"TXD (3)", "#b80", 10, ""}, {"RXD (4)", "#841", 8, ""},
			{"TOUCH (5)", "#26c", 11, ""}, {"touch supply 3.3 V (6)", "#999", 1, ""},
		}},
	{file: "panel.svg", title: "Lights and buzzer", notes: []string{"ready = \"GPIO22\", busy = \"GPIO27\", buzzer = \"GPIO23\"", "A buzzer that draws more than 10 mA needs a transistor."},
		wires: []wire{
			{"green light +", "#2a2", 15, "330 Ω"}, {"yellow light +", "#b80", 13, "330 Ω"}, {"lights -", "#222", 14, ""},
			{"buzzer +", "#c22", 16, ""}, {"buzzer -", "#222", 20, ""},
		}},
	{file: "keypad.svg", title: "Keypad, 4 rows and 3 columns", notes: []string{"rows = [\"GPIO5\", \"GPIO6\", \"GPIO13\", \"GPIO19\"]", "columns = [\"GPIO12\", \"GPIO16\", \"GPIO20\"]"},
		wires: []wire{
			{"row 1 (1 2 3)", "#26c", 29, ""}, {"row 2 (4 5 6)", "#26c", 31, ""}, {"row 3 (7 8 9)", "#26c", 33, ""}, {"row 4 (* 0 #)", "#26c", 35, ""},
			{"column 1", "#841", 32, ""}, {"column 2", "#841", 36, ""}, {"column 3", "#841", 38, ""},
		}},
	{file: "clock.svg", title: "Clock module DS3231 (with memory AT24C32)", notes: []string{"Raspberry Pi OS: the line dtoverlay=i2c-rtc,ds3231 in config.txt. Tillprint's own card: nothing to set.", "Root key in its memory: keyslot.kind = \"i2c\""},
		wires: []wire{{"VCC", "#c22", 17, ""}, {"GND", "#222", 9, ""}, {"SDA", "#26c", 3, ""}, {"SCL", "#b80", 5, ""}}},
	{file: "tpm.svg", title: "TPM 2.0 module SLB 9670", option: true, notes: []string{"Raspberry Pi OS: the line dtoverlay=tpm-slb9670 in config.txt. Tillprint's own card: nothing to set.", "It holds the root key if it is there when the terminal joins; most modules plug onto pins 17 to 26."},
		wires: []wire{
			{"VCC 3.3 V", "#c22", 17, ""}, {"GND", "#222", 25, ""}, {"MOSI", "#26c", 19, ""}, {"MISO", "#2a2", 21, ""},
			{"SCLK", "#b80", 23, ""}, {"CS", "#841", 26, ""},
		}},
}
