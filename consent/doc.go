// Package consent is the law as a pure function: the statements that people have made about one subject go in,
// a [Decision] and its reasons come out.
//
// It answers one question, at enrolment, at every load into the matcher and before every match: may the finger of this
// subject be processed now? The rules are those of the Protection of Freedoms Act 2012 sections 26 to 28 and of the
// schools' policies. Each [Reason] names the row of the requirements (A1, B1, D3, ...) that it follows from; rows that begin with "s."
// are sections of the Act.
//
// To use it, collect every statement on record about the subject, oldest first or in any order, and call [Decide]
// with the current time in the site's time zone. [Ends] tells on which dates the answer becomes stricter by itself, so
// that a terminal without a connection can act on them. [Narrow] combines a decision with anything that a terminal
// knows besides; nothing widens a decision.
//
// The package promises: no statement set without a consent by someone entitled to give it permits; what is unknown,
// undated, dated in the future or contradictory never permits; the order of statements and their repetition never
// matter; a further refusal, objection or withdrawal never moves the decision towards [Permit]; and there is no
// override, for anybody.
//
// It is an engineering reading of the law, not legal advice.
package consent
