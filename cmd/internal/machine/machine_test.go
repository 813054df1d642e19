package machine

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestRead(t *testing.T) {
	sys := fstest.MapFS{
		"class/thermal/thermal_zone0/temp":                {Data: []byte("48312\n")},
		"devices/platform/soc/soc:firmware/get_throttled": {Data: []byte("50005\n")},
		"block/mmcblk0/stat":                              {Data: []byte("  1 2 3 4 5 6 2048 8 9 10 11\n")},
		"block/mmcblk0/device/life_time":                  {Data: []byte("0x01 0x02\n")},
		"fs/ext4/mmcblk0p7/errors_count":                  {Data: []byte("2\n")},
		"fs/ext4/mmcblk0p6/errors_count":                  {Data: []byte("1\n")},
		"class/hwmon/hwmon0/name":                         {Data: []byte("cpu_thermal\n")},
		"class/hwmon/hwmon1/name":                         {Data: []byte("rpi_volt\n")},
		"class/hwmon/hwmon1/in0_lcrit_alarm":              {Data: []byte("1\n")},
	}
	s := Read(sys)
	if s.Celsius == nil || *s.Celsius != 48.312 || s.Throttled == nil || *s.Throttled != 0x50005 ||
		s.Written == nil || *s.Written != 2048*512 || s.Worn == nil || *s.Worn != 1 || s.Faults == nil || *s.Faults != 3 || s.Weak == nil || !*s.Weak {
		t.Errorf("%+v", s)
	}
}

func TestReadNonsense(t *testing.T) {
	for _, text := range []string{"", "\n", "-3", "x y z", "99999999999999999999999"} {
		sys := fstest.MapFS{
			"class/thermal/thermal_zone0/temp": {Data: []byte(text)}, "block/mmcblk0/stat": {Data: []byte(text)},
			"class/hwmon/hwmon0/name": {Data: []byte("rpi_volt")}, "class/hwmon/hwmon0/in0_lcrit_alarm": {Data: []byte(text)},
			"block/mmcblk0/device/life_time": {Data: []byte(text)}, "fs/ext4/mmcblk0p7/errors_count": {Data: []byte(text)},
		}
		if s := Read(sys); s != (State{}) {
			t.Errorf("%q: %+v", text, s)
		}
	}
	if s := Read(fstest.MapFS{}); s != (State{}) {
		t.Errorf("an empty machine: %+v", s)
	}
}

func TestModel(t *testing.T) {
	for text, want := range map[string]string{"Raspberry Pi 3 Model B Rev 1.2\x00": "Raspberry Pi 3 Model B Rev 1.2", "": "", strings.Repeat("é", 99): strings.Repeat("é", 50)} {
		if got := Model(fstest.MapFS{"firmware/devicetree/base/model": {Data: []byte(text)}}); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := Model(fstest.MapFS{}); got != "" {
		t.Errorf("a machine without a device tree: %q", got)
	}
}
