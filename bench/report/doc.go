// Package report makes pages of what the bench measured: one self-contained HTML file, or a Markdown page with charts beside
// it. Equal figures make equal pages, byte for byte.
//
// The HTML page asks nobody for anything: its charts are inline SVG, its colours follow the reader's light or dark by CSS, and it has
// no script. Charts can be read without colour (lines differ in their dashes and marks, and bear their names),
// and without eyes: each has a title and a description, and the table under it has its numbers.
package report
