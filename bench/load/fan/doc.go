// Package fan is the work that servers are compared by, whatever their protocol: events that are due by a timetable and made for
// groups, the crowd that each client of a group is a member of, and what came of it.
//
// An event is JSON of its number in its group and of when it was due. Who sends it and who gets it are goroutines of one process, so the
// times are of one clock; the server is another process. A Member wants the numbers of its group one after the other, from the one
// that it begins with: nothing missing, nothing twice, nothing out of order.
package fan
