package export

// Answers are the headings that the answer to a request for access must have besides the data itself (G1), as far as the
// product decides them. The school adds what only it knows.
func Answers(s Site) []Answer {
	contact := s.Contact
	if contact == "" {
		contact = "the school's data protection contact"
	}
	return []Answer{
		{"Is data about you processed?", "Yes: what is listed below, and nothing else about you is held by the part of the system that made this record."},
		{"Purposes", "To find your account in the school canteen, so that what you eat is put down to you. Nothing else."},
		{"Legal basis", "For fingerprints: explicit written consent under the Protection of Freedoms Act 2012, sections 26 to 28, and article 9(2)(a) of the UK GDPR. For the rest: the basis that the school has recorded in its privacy notice."},
		{"Categories", "Your name, form, photo and dietary notes as far as the school has entered them; a verifier of your PIN; what was said about your fingerprints; templates, which are lists of points of a finger and not pictures; when and how you were served."},
		{"Recipients", "The terminals of this school. The till's account system learns an account reference and the time, never a template. No other organisation."},
		{"How long", "Templates until consent ends, you refuse, you leave, or a date listed below is reached; then their key is destroyed and a signed receipt is kept. The person record until you leave. The log of a terminal for as long as the school's retention schedule says."},
		{"Your rights", "To have wrong data corrected, to have data erased, to have its use restricted, to object, to take your data elsewhere, and to say no to fingerprints at any time without a reason and without any disadvantage."},
		{"Complaints", "First to " + contact + "; and at any time to the Information Commissioner's Office (ico.org.uk)."},
		{"Source", "The school's records, your parents' and your own statements, and your presses on the sensor."},
		{"Automated decisions", "A match proposes an account; a person at the till confirms it by name and face and can always choose another. Whether a finger may be used follows by fixed rules from what was said; the rules that applied are listed below."},
		{"Transfers", "None outside the school's own machines, and none outside the United Kingdom by this system."},
	}
}
