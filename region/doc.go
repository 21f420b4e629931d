// Package region says what an event is about and who wants it: Coordinate, Kind and Position name an
// event's place; a Region is the set of places that a subscriber asks for; an Index answers which of
// many Regions match one Point.
//
//	r, err := region.Parse("entity=alice|kind=0x1:0x002")
//	if err != nil {
//		return err // says which byte, and what should stand there
//	}
//	r.Match(region.Point{Entity: "alice:cart", Scope: "shop", Kind: 0x1002}) // true
//
// # Promises
//
//   - A name that NewCoordinate or Validate let in is valid UTF-8 of at most 1,024 bytes without control
//     characters of ASCII, slashes, two dots in a row, vertical bars and equals signs: it is one element of a
//     path, never a way up, and it cannot end a line or a field of a Region's text.
//   - Every refusal says which field, which byte and why; errors.Is tells the reasons apart.
//   - Escape makes a scope of any text that is not empty or too long, and Unescape gives the text back.
//   - A valid Region has one text: Parse takes what String writes, and nothing else. Region.Hash is the same in
//     every process and every release.
//   - Match allocates nothing. A look-up in an Index takes no lock, and its time does not grow with the
//     members that don't match.
//
// # What the caller owes
//
// Names that come from outside go through NewCoordinate, or through Escape first. One goroutine at a time
// changes an Index; any number look up meanwhile.
//
// # What is not promised
//
// A name is not safe everywhere: it may hold spaces, quotes, percent signs, backslashes, or be a single dot.
// The text of an error may change in any release; so may the methods of Index, Entry and Matches, which
// are for package core.
package region
