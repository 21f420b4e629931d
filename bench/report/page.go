package report

import (
	"embed"
	"html/template"
	"io"
)

//go:embed *.tmpl *.css
var files embed.FS

// page returns the templates of the HTML page and of a chart by itself.
func page() (*template.Template, error) {
	style := func(name string) (template.CSS, error) {
		text, err := files.ReadFile(name)
		return template.CSS(text), err
	}
	return template.New("").Funcs(template.FuncMap{
		"style": style, "cells": cells, "heads": func() []string { return heads },
		"about": Report.about, "notes": Report.notes, "null": Report.nullText,
	}).ParseFS(files, "page.html.tmpl", "chart.svg.tmpl")
}

// HTML writes the page.
func (r Report) HTML(out io.Writer) error {
	t, err := page()
	if err != nil {
		return err
	}
	return t.ExecuteTemplate(out, "page.html.tmpl", r)
}

// svg writes a chart that stands by itself, as a file.
func (d drawing) svg(out io.Writer) error {
	t, err := page()
	if err != nil {
		return err
	}
	d.Standalone = true
	return t.ExecuteTemplate(out, "chart.svg.tmpl", d)
}
