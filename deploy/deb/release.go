package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// release is what one commit is called, and when it was made. Every file of
// every package carries that time.
type release struct {
	version string // in Debian's order: a later commit is a higher version
	at      time.Time
}

// debianVersion is what Debian Policy 5.6.12 allows in a native version.
var debianVersion = regexp.MustCompile(`^[0-9][0-9A-Za-z.+~]*$`)

// releaseOf is the release of the commit checked out in root. SOURCE_DATE_EPOCH
// replaces its time, as reproducible-builds.org specifies, and version, where
// it is not empty, its version: together they build what is no git checkout.
func releaseOf(root, version string) (release, error) {
	stamp := os.Getenv("SOURCE_DATE_EPOCH")
	if stamp == "" {
		var err error
		if stamp, err = git(root, "log", "-1", "--format=%ct"); err != nil {
			return release{}, err
		}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return release{}, fmt.Errorf("SOURCE_DATE_EPOCH is %.40q; it is a number of seconds", stamp)
	}
	at := time.Unix(seconds, 0).UTC()
	if version == "" {
		if version, err = versionOf(root, at); err != nil {
			return release{}, err
		}
	}
	if !debianVersion.MatchString(version) {
		return release{}, fmt.Errorf("%q is no version for a Debian package", version)
	}
	return release{version, at}, nil
}

// versionOf is 1.2.3 at the tag v1.2.3, 1.2.3+5.gabc1234 five commits later,
// and 0~20261122070000.gabc1234 before the first tag. What has been changed
// since the commit adds +dirty.
func versionOf(root string, at time.Time) (string, error) {
	described, err := git(root, "describe", "--tags", "--match=v[0-9]*", "--always", "--abbrev=8", "--dirty=+dirty")
	if err != nil {
		return "", err
	}
	if tagged, ok := strings.CutPrefix(described, "v"); ok {
		tagged, rest, _ := strings.Cut(tagged, "-")
		return strings.TrimSuffix(tagged+"+"+strings.ReplaceAll(rest, "-", "."), "+"), nil
	}
	return "0~" + at.Format("20060102150405") + ".g" + described, nil
}

func git(root string, args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", root}, args...)...).Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w; without git give -version and SOURCE_DATE_EPOCH", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}
