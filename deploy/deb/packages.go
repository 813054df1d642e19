package main

// pkg is one Debian package. Its folder holds what belongs to it alone: unit,
// maintainer scripts, configuration file, lintian overrides.
type pkg struct {
	name, folder string
	commands     []string // of ./cmd, into /usr/bin
	section      int      // of the manual
	unit         string   // systemd service that it brings; "" for none
	files        []file
	recommends   []string
	depends      []string
	description  string
}

// file is one of the package's folder.
type file struct {
	source, target string
	config         bool // kept as the machine's owner has changed it
}

// packages are all that is built.
var packages = []pkg{
	{
		name: "tillprint-terminal", folder: "terminal", commands: []string{"tillprintd"}, section: 8, unit: "tillprintd",
		files: []file{
			{source: "tillprintd.service", target: "/usr/lib/systemd/system/tillprintd.service"},
			{source: "sysusers.conf", target: "/usr/lib/sysusers.d/tillprint-terminal.conf"},
			{source: "udev.rules", target: "/usr/lib/udev/rules.d/60-tillprint.rules"},
			{source: "tillprintd.toml", target: "/etc/tillprint/tillprintd.toml", config: true},
			{source: "lintian-overrides", target: "/usr/share/lintian/overrides/tillprint-terminal"},
		},
		depends: []string{"systemd (>= 247)", "udev"}, recommends: []string{"tillprint", "ca-certificates"},
		description: `fingerprint terminal of a cashless school canteen
The daemon that runs on a Raspberry Pi beside the till. It drives a serial
fingerprint sensor, recognises pupils whose consent is in force, and serves
everybody else just as quickly by PIN, by name or with cash.
.
A withdrawn consent takes effect at once: the template's key is destroyed and
a signed receipt says so.`,
	},
	{
		name: "tillprint-hub", folder: "hub", commands: []string{"tillprint-hub"}, section: 8, unit: "tillprint-hub",
		files: []file{
			{source: "tillprint-hub.service", target: "/usr/lib/systemd/system/tillprint-hub.service"},
			{source: "sysusers.conf", target: "/usr/lib/sysusers.d/tillprint-hub.conf"},
			{source: "tillprint-hub.toml", target: "/etc/tillprint/tillprint-hub.toml", config: true},
			{source: "lintian-overrides", target: "/usr/share/lintian/overrides/tillprint-hub"},
		},
		depends: []string{"systemd (>= 247)"}, recommends: []string{"tillprint"},
		description: `school's hub for fingerprint terminals
The hub keeps what parents and pupils have said about their fingerprints, tells
every terminal of the school what it must hold, and shows the office what each
terminal has done.
.
It carries templates between terminals that it cannot open itself.`,
	},
	{
		name: "tillprint", folder: "hand", commands: []string{"tillprint"}, section: 1,
		files: []file{{source: "lintian-overrides", target: "/usr/share/lintian/overrides/tillprint"}},
		description: `hand tool for fingerprint terminals of a cashless canteen
Looks at a fingerprint sensor, checks the receipts that terminals give for
withdrawn consents, measures recognition on folders of images, and plays a
whole canteen on one machine as a demonstration.`,
	},
}
