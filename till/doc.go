// Package till is what the terminal does: it serves a queue of pupils by finger,
// PIN, name, an outside account or cash, and enrols those who want to use a
// finger.
//
// # Use
//
// Make a [Till] with [New] from its [Parts] and run [Till.Run] until its context
// ends. The operator's actions ([Till.Scan], [Till.Key], [Till.PIN], [Till.Lookup],
// [Till.Choose], [Till.Cash], [Till.Confirm], [Till.NotThem], [Till.Refuse],
// [Till.Enrol] ...) may be called from any goroutine; what the till shows comes
// back as immutable [View] values from [Till.View] and [Till.Subscribe].
//
// # Promises
//
// One goroutine owns the state. Everything slow (the sensor, Argon2, the disk)
// runs beside it and comes back with the number of the turn it was started in;
// a result of a turn that is over attaches to nothing.
//
// A recognition is a proposal to a person and ends by itself after
// [ProposalLife]; only its own id confirms it (G17). Consent is asked for before
// the finger is read, at the decision, and again at the confirmation (A1).
//
// A finger is read only when the site's [Trigger] or the operator asks, and never
// while a PIN is keyed; the image, the probe and everything derived from them
// are overwritten when the decision falls, and a probe that matches nobody is
// neither stored nor logged (A15, I3).
//
// A pupil's "no" is one call, needs no reason, no network and nobody's leave
// (A3), and there is no action that undoes it (I9).
//
// A lost sensor, a full disk or an unreachable hub is shown in [View] and takes
// away nothing but its own route (I6).
package till
