// Package web is the operator's page of a till, the display that faces the pupil,
// and the technician's page.
//
// [Handler] serves them below a base path: the operator's page at the base, the
// pupil's at base + "/pupil", the technician's at base + "/technician", where there
// is a [Workshop] and for that role only. [Ended] takes the place of all of them in a
// terminal that was decommissioned. Pages are html/template with htmx; each holds one
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
