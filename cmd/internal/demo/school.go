package demo

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/hub"
)

// siteID is the demo's school at the hub.
const siteID = "demo-school"

// notice is the version of the letter that the demo's parents answered.
const notice = "canteen-finger-2026-1"

// site is the school itself, which has decided for fingers; its terminals are commissioned one by one.
func site() hub.Site {
	return hub.Site{
		ID: siteID, Name: "Larkfield School (demo)", Contact: "dpo@larkfield.example",
		Profile: consent.Profile{
			Biometrics: true, Purpose: consent.CanteenIdentification, Modality: consent.Finger,
			Notices: []string{notice}, GraceDays: 0,
		},
	}
}

// A story is what a pupil's family has said. The crowd follows in these
// proportions; see family.
type story uint8

const (
	consented  story = iota // one parent consented in writing
	silent                  // nobody answered the letter: the default is no (A5)
	oneObjects              // one parent consents, the other objects in writing (A6)
	childSaid               // the parents consent, the child refuses (A3)
)

// pupil is one synthetic pupil, before the hub has given a pseudonym and a PIN.
type pupil struct {
	hub.NewSubject
	story story
}

// school draws n pupils, the same for the same n. The first `sure` of them have
// consented: they are the ones whose fingers the demo presses.
func school(n, sure int, today time.Time) []pupil {
	r := rand.New(rand.NewPCG(2026, uint64(n)))
	taken := map[string]bool{}
	pupils := make([]pupil, n)
	for i := range pupils {
		s := drawStory(r)
		if i < sure {
			s = consented
		}
		pupils[i] = newPupil(r, i, s, drawName(r, taken), today)
	}
	return pupils
}

func drawStory(r *rand.Rand) story {
	switch x := r.IntN(100); {
	case x < 82:
		return consented
	case x < 92:
		return silent
	case x < 96:
		return oneObjects
	default:
		return childSaid
	}
}

func drawName(r *rand.Rand, taken map[string]bool) string {
	for {
		name := firstNames[r.IntN(len(firstNames))] + " " + lastNames[r.IntN(len(lastNames))]
		if !taken[name] {
			taken[name] = true
			return name
		}
	}
}

func newPupil(r *rand.Rand, i int, s story, name string, today time.Time) pupil {
	year := 7 + r.IntN(5) // years 7 to 11: eleven to sixteen years old
	birthday := today.AddDate(-(year + 4), 0, -r.IntN(365))
	mother := hub.Adult{Responsible: consent.Responsible{ID: fmt.Sprintf("g-%d-1", i), Capacity: consent.Parent, ParentalResponsibility: true}, Name: "Parent one of " + name}
	father := mother
	father.ID, father.Name = fmt.Sprintf("g-%d-2", i), "Parent two of "+name
	p := hub.NewSubject{
		Class: consent.Pupil, Name: name, Form: fmt.Sprintf("%d%c", year, "ABCDE"[r.IntN(5)]),
		Eighteenth: consent.DateOf(birthday.AddDate(18, 0, 0)), LeavesOn: consent.DateOf(today.AddDate(12-year, 0, 0)),
		Responsible: []hub.Adult{mother, father}, PIN: true,
		Statements: family(s, i, mother.ID, father.ID, today.AddDate(0, 0, -40)),
	}
	if r.IntN(12) == 0 {
		p.Dietary = []string{dietary[r.IntN(len(dietary))]}
	}
	return pupil{NewSubject: p, story: s}
}

// family makes the statements of a story, each a day after the one before.
func family(s story, i int, mother, father string, start time.Time) []consent.Statement {
	var all []consent.Statement
	say := func(by string, capacity consent.Capacity, kind consent.Kind) {
		all = append(all, consent.Statement{
			ID: fmt.Sprintf("s-%d-%d", i, len(all)), By: by, Capacity: capacity, Kind: kind, Form: consent.Written,
			At: start.AddDate(0, 0, len(all)), Purpose: consent.CanteenIdentification, Modality: consent.Finger,
			Notice: notice, Evidence: fmt.Sprintf("form %d", 1000+i), TakenBy: "school office",
		})
	}
	say(mother, consent.Parent, consent.Notified)
	say(father, consent.Parent, consent.Notified)
	if s == silent {
		return all
	}
	say(mother, consent.Parent, consent.Consent)
	switch s {
	case oneObjects:
		say(father, consent.Parent, consent.Objection)
	case childSaid:
		say("", consent.Child, consent.Refusal)
	}
	return all
}

var dietary = []string{"nut allergy", "vegetarian", "halal", "gluten free", "milk allergy", "vegan"}

var firstNames = []string{
	"Amina", "Oliver", "Zofia", "Jack", "Priya", "Noah", "Freya", "Kwame", "Isla", "Mateo", "Grace", "Yusuf", "Ruby", "Dylan", "Chloé",
	"Tariq", "Ella", "Björn", "Maya", "Finn", "Aisha", "Leo", "Saoirse", "Ravi", "Poppy", "Ibrahim", "Lily", "Tomasz", "Eva", "Joshua",
	"Nia", "Arthur", "Fatima", "Oscar", "Mei", "Ethan", "Zara", "Callum", "Inés", "Samuel", "Hana", "Jude", "Layla", "Rhys", "Ada",
	"Musa", "Iris", "Dominik", "Florence", "Elijah",
}

var lastNames = []string{
	"Ahmed", "Baker", "Chowdhury", "Davies", "Evans", "Fletcher", "Green", "Hussain", "Iqbal", "Jones", "Kowalski", "Lewis", "Murphy",
	"Nowak", "O'Brien", "Patel", "Quinn", "Roberts", "Singh", "Taylor", "Uddin", "Vaughan", "Walker", "Xu", "Young", "Zieliński",
	"Abbott", "Bennett", "Carter", "Dhillon", "Edwards", "Fernandes", "García", "Hughes", "Jackson", "Khan", "Lloyd", "Mensah",
	"Nguyen", "Okafor", "Parker", "Rahman", "Schofield", "Thompson", "Wójcik", "Whitaker", "Ward", "Shaw", "Pratt", "Moss",
}
