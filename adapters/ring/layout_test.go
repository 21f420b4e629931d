package ring

import (
	"testing"
	"unsafe"
)

// What a writer looks at and writes is one cache line: the Lot's last word, and the queue's up to its pad. What the reader
// writes is another. An object of 192 bytes begins at a line.
func TestWriterHasALineOfItsOwn(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the layout is for 64-bit machines; others are right, and slower")
	}
	const line = 64
	var one single[int]
	var many shared[int]
	for name, l := range map[string]struct{ lotEnds, queue, size uintptr }{
		"single": {unsafe.Offsetof(one.lot) + unsafe.Sizeof(one.lot), unsafe.Offsetof(one.Single), unsafe.Sizeof(one)},
		"shared": {unsafe.Offsetof(many.lot) + unsafe.Sizeof(many.lot), unsafe.Offsetof(many.Shared), unsafe.Sizeof(many)},
	} {
		if l.lotEnds != line+8 || l.queue != l.lotEnds || l.size != 3*line {
			t.Errorf("%s: the Lot ends at %d, the queue begins at %d, all is %d bytes; want %d, the same, %d", name, l.lotEnds, l.queue, l.size, line+8, 3*line)
		}
	}
}
