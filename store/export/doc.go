// Package export answers a person who asks what is held about them (rows G1 to G3, F6): as JSON with a published schema, as
// CSV, as a page, and each template as an ISO/IEC 19794-2:2005 record, sealed to one recipient with age.
//
// Two places hold parts of the answer, and neither can see the other's. The hub has names, statements and what follows from
// them, and carries templates that it cannot open; a terminal has the templates and the history of their use, and
// must never hold statements. So each writes a [Record] of its own and seals it to the same recipient; the hub only
// collects the parts of the terminals, and whoever has the recipient's key opens all of them with [Open]. The templates are in clear
// on the terminal, while they are sealed, and at the recipient, and nowhere else.
//
// An export is made for an [Order]: one person of the office has asked for it and said how the identity was checked, a
// second one has confirmed it (G13), and the hub has signed that into its register. A terminal makes none without.
//
// A record is about its subject alone (I8, F7): a holder picks what it writes by the subject's pseudonym, leaves out the names of
// parents and staff, who are other people, and says in the record what it has left out. Before it is sealed it is looked
// through once more for anybody else.
package export
