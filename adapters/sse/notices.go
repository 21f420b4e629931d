package sse

// listen has notices come to the writer. What it returns stops that, and waits for the goroutine, which goes when the
// stream is over or the channel is closed. The writer may be behind by a few; then the goroutine waits, and so does who sends.
func (s *stream) listen(from <-chan Notice) (stop func()) {
	if from == nil {
		return func() {}
	}
	box := make(chan Notice, 16)
	gone := make(chan struct{})
	s.notices = box
	go func() {
		defer close(gone)
		for {
			select {
			case n, ok := <-from:
				if !ok {
					return
				}
				select {
				case box <- n:
					s.pause.ring()
				case <-s.ctx.Done():
					return
				}
			case <-s.ctx.Done():
				return
			}
		}
	}()
	return func() {
		s.cancel()
		<-gone
	}
}

// notify writes the notices that have come.
func (s *stream) notify() error {
	some := false
	for {
		select {
		case n := <-s.notices:
			if !nameable(n.Event) {
				s.h.o.Logger.ErrorContext(s.ctx, "spillway/sse: a notice is dropped", "name", n.Event, "error", errName)
				continue
			}
			s.blank().frames = appendNamed(s.page.frames, n.Event, n.Data)
			s.tally.Notices++
			some = true
			continue
		default:
		}
		if !some {
			return nil
		}
		return s.flush()
	}
}
