package server

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// rights are what somebody may do.
type rights uint8

const (
	mayRead rights = 1 << iota
	mayWrite
)

// Tokens are who may do what. What is kept of a token is its hash.
type Tokens struct{ entries []token }

type token struct {
	hash   [sha256.Size]byte
	rights rights
}

const (
	mostTokens   = 1000
	leastToken   = 16      // bytes
	mostToken    = 4 << 10 // bytes of a line, too
	mostOfTokens = megabyte
)

// ReadTokens reads a file of tokens, a line each:
//
//	read|write|both TOKEN
//	read|write|both sha256:HASH
//
// What begins with # is a comment. Nobody but its owner and group may be able to read the file. Errors say the line, and nothing that
// is in it.
func ReadTokens(path string) (*Tokens, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("%s: everybody on this machine may read or change it (%v); chmod o-rwx it", path, info.Mode().Perm())
	}
	t := new(Tokens)
	lines := bufio.NewScanner(io.LimitReader(f, mostOfTokens))
	lines.Buffer(nil, mostToken)
	for n := 1; lines.Scan(); n++ {
		if err := t.line(lines.Text()); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	switch {
	case lines.Err() != nil:
		return nil, fmt.Errorf("%s: %w", path, lines.Err())
	case len(t.entries) == 0:
		return nil, fmt.Errorf("%s: there is no token in it", path)
	}
	return t, nil
}

func (t *Tokens) line(line string) error {
	words := strings.Fields(line)
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return nil
	}
	if len(words) != 2 {
		return fmt.Errorf("%d words; want read, write or both, and a token", len(words))
	}
	e := token{rights: map[string]rights{"read": mayRead, "write": mayWrite, "both": mayRead | mayWrite}[words[0]]}
	if e.rights == 0 {
		return fmt.Errorf("the first word is none of read, write and both")
	}
	digits, hashed := strings.CutPrefix(words[1], "sha256:")
	switch {
	case !hashed && len(words[1]) < leastToken:
		return fmt.Errorf("a token of less than %d characters can be guessed", leastToken)
	case !hashed:
		e.hash = sha256.Sum256([]byte(words[1]))
	default:
		hash, err := hex.DecodeString(digits)
		if err != nil || len(hash) != len(e.hash) {
			return fmt.Errorf("sha256: is followed by %d hexadecimal digits", 2*len(e.hash))
		}
		e.hash = [sha256.Size]byte(hash)
	}
	if e.hash == sha256.Sum256(nil) {
		return fmt.Errorf("that is the hash of no token at all")
	}
	for _, other := range t.entries {
		if other.hash == e.hash {
			return fmt.Errorf("that token was there before")
		}
	}
	if t.entries = append(t.entries, e); len(t.entries) > mostTokens {
		return fmt.Errorf("there are more than %d tokens", mostTokens)
	}
	return nil
}

// match returns what whoever has a token may do. It takes as long whichever token it is.
func (t *Tokens) match(text string) (r rights) {
	if text == "" || len(text) > mostToken {
		return 0
	}
	hash := sha256.Sum256([]byte(text))
	for i := range t.entries {
		e := &t.entries[i]
		r |= rights(subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], e.hash[:]), int(e.rights), 0))
	}
	return r
}
