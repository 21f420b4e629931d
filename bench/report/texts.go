package report

// MarkdownRow is a line of a table of a Markdown page.
func MarkdownRow(cells ...string) string { return markdownRow(cells) }

// Duration prints nanoseconds in a unit that suits them, with three digits.
func Duration(ns float64) string { return duration(ns, three) }

// Short prints a figure with three digits: 12.3k, 1.50M.
func Short(v float64) string { return shortened(v, three) }

// Bytes prints a size.
func Bytes(v float64) string { return size(v) }
