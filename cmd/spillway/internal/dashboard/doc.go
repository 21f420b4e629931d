// Package dashboard is the page at / of spillway serve. It asks the server that it comes from, and nobody else.
//
// Its files are embedded as they stand below assets; there is no build, apart from uPlot, which uplot/main.go has copied from
// npm. The page's own are ES modules, one a noun:
//
//   - api.js asks the server and says when it wants a token, session.js asks for that
//   - stream.js is the one EventSource; share.js is which tab has it, and what the others get of it
//   - region.js reads and matches regions
//   - charts.js, subscriptions.js, prunes.js, tree.js and tail.js are the parts of the page, app.js puts them together
//
// Whatever the server sends becomes text nodes, never markup, and the headers would let no script of it run.
package dashboard
