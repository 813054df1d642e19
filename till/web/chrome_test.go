package web

import (
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tillprint/tillprint/deploy/test/chrome"
)

var keys = map[string]string{"F1": kb.F1, "F2": kb.F2, "F3": kb.F3, "F4": kb.F4, "F8": kb.F8, "F9": kb.F9, "Enter": kb.Enter, "Escape": kb.Escape}

// keystroke presses a key of the keyboard, wherever the focus is.
func keystroke(name string) chrome.Act {
	if k, ok := keys[name]; ok {
		name = k
	}
	return chromedp.KeyEvent(name)
}
