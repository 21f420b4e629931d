//go:build !amd64 && !arm64

package region

import "unsafe"

// prefetch does nothing here: a look-up waits for its memory then.
func prefetch(unsafe.Pointer) {}
