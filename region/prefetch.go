//go:build amd64 || arm64

package region

import "unsafe"

// prefetch asks for the cache line at addr and waits for nothing. Go has no way to say so but assembly;
// docs/decisions/0002 has what it is worth.
//
//go:noescape
func prefetch(addr unsafe.Pointer)
