// Package web is the operator's page of a till, and the display that faces the
// pupil.
//
// [Handler] serves both below a base path: the operator's page at the base, the
// pupil's at base + "/pupil". Pages are html/template with htmx; each holds one
// stream of server-sent events over which the till's current view is pushed, so
// that two pages never disagree for longer than a line takes. There is no build
// step and no inline script, and everything can be done from a keyboard.
//
// The handler answers only to host names it was told (DNS rebinding), refuses
// cross-origin requests, bounds what it reads and lets nobody but its own origin
// frame it. It has no login of its own: see [Handler]. [RoleOf] says what the
// browser behind a request may do.
//
// htmx 2.0.10 and its server-sent-events extension 2.2.4 lie in static/ with
// their licences (Zero-Clause BSD).
package web
