package zfmsim

import "github.com/tillprint/tillprint/device/zfm"

// EventKind says what happened at the module.
type EventKind uint8

// The kinds of event.
const (
	Touched      EventKind = iota + 1 // a finger was laid on the glass
	Lifted                            // it was taken away
	Commanded                         // an instruction came; sent before it is answered
	Captured                          // an image was taken into the buffer
	ImageSent                         // the whole image went over the wire
	Restarted                         // the module restarted
	Faulted                           // a scripted fault happened
	LibraryWrite                      // an instruction came that writes the template library or the firmware
	Unplugged
)

// Event is something that happened at the module.
type Event struct {
	Kind        EventKind
	Instruction zfm.Instruction // of Commanded and LibraryWrite
	Fault       FaultKind       // of Faulted
}

// eventsKept is how many events wait for a reader; older ones are lost beyond that.
const eventsKept = 4096

// Events delivers what happens, in order. Whoever does not read loses the oldest beyond 4096.
func (s *Sim) Events() <-chan Event { return s.events }

// emit never blocks: without a reader it makes room by forgetting the oldest event. The caller holds mu.
func (s *Sim) emit(e Event) {
	for {
		select {
		case s.events <- e:
			return
		default:
		}
		select {
		case <-s.events:
		default:
		}
	}
}
