package latest

import "testing"

// A box is wiped when it comes back, from the reader or from who replaced its event: spares keep nothing alive.
func TestSpareBoxesAreWiped(t *testing.T) {
	s, err := newSink(1, func(*int) int { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	s.Offer(new(int)) // replaced
	s.Offer(new(int)) // read
	if v, ok := s.take(); v == nil || !ok {
		t.Fatalf("got %v, %v", v, ok)
	}
	c, spares := s.table.cell(0), 0
	for i := range c.spare {
		if b := c.spare[i].Load(); b != nil {
			if spares++; b.v != nil {
				t.Error("a spare box keeps its event")
			}
		}
	}
	if spares != 2 {
		t.Errorf("%d boxes came back, want both", spares)
	}
}
