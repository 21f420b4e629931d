// Package region says what an event is about and who wants it: Coordinate, Kind and Position name an
// event's place; a Region is the set of places that a subscriber asks for; an Index answers which of
// many Regions match one Point.
//
//	alice, err := region.Parse("entity=alice|kind=0x1:0x002")
//	alice.Match(region.Point{Entity: "alice:cart", Scope: "shop", Kind: 0x1002}) // true
//
// # Promises
//
//   - Whatever NewCoordinate and Validate let in is safe in a path, in a URL, in a log line and in the text of
//     a Region: names hold no control characters, slashes, dots in a row, bars or equals signs.
//   - Every refusal says which field, which byte and why; errors.Is tells the reasons apart.
//   - A Region has one text: Parse takes what String writes, and nothing else. Region.Hash is the same in every
//     process and every release.
//   - A look-up in an Index takes no lock, and its time does not grow with the members that don't match.
//
// # What the caller owes
//
// Names that come from outside go through NewCoordinate, or through Escape first. One goroutine at a time
// changes an Index; any number look up meanwhile.
//
// # What is not promised
//
// The methods of Index, Entry and Matches are for package core, and may change in any release.
package region
