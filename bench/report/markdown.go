package report

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	texts "text/template"
)

// blocks are the parts of a Markdown page that figures fill in; what lies around them is the author's.
var blocks = []string{"run", "rows", "short", "null", "latency", "curves", "peers", "losses"}

// block finds a part of a page with the comments round it.
var block = regexp.MustCompile(`(?s)<!-- spillway bench: (\w+) -->\n.*?<!-- /spillway bench: (\w+) -->`)

// A Page is a Markdown page, and the charts that lie in the folder beside it, by name.
type Page struct {
	Text   string
	Folder string // of the charts, from the page's own
	Charts map[string][]byte
}

// Markdown returns the page anew: its parts between comments are filled in again, and what an author wrote around them stays
// as it is. Where there is no page yet, old is "". The charts are to lie in folder.
func (r Report) Markdown(old, folder string) (Page, error) {
	p := Page{Folder: folder, Charts: make(map[string][]byte)}
	if old == "" {
		begin, err := files.ReadFile("begin.md.tmpl")
		if err != nil {
			return Page{}, err
		}
		old = string(begin)
	}
	for _, c := range r.Crowds() {
		if err := p.add(c.Chart()); err != nil {
			return Page{}, err
		}
	}
	for _, c := range r.Curves {
		if err := p.add(c.Chart()); err != nil {
			return Page{}, err
		}
	}
	t, err := texts.New("").Funcs(texts.FuncMap{
		"cells": cells, "heads": func() []string { return heads }, "about": Report.about, "notes": Report.notes, "null": Report.nullText,
		"row": markdownRow, "plain": plain, "chart": func(d drawing) string { return fmt.Sprintf("![%s. %s](%s/%s.svg)", d.Title, d.Desc, folder, d.ID) },
		"list": func(all ...string) []string { return all }, "join": func(more []string, all ...string) []string { return slices.Concat(all, more) },
	}).ParseFS(files, "blocks.md.tmpl")
	if err != nil {
		return Page{}, err
	}
	seen := make(map[string]bool)
	var failed error
	p.Text = block.ReplaceAllStringFunc(old, func(match string) string {
		names := block.FindStringSubmatch(match)
		name := names[1]
		switch {
		case names[2] != name || !slices.Contains(blocks, name):
			failed = errors.Join(failed, fmt.Errorf("the page has a part %q that ends as %q; parts are %s", name, names[2], strings.Join(blocks, ", ")))
			return match
		case seen[name]:
			failed = errors.Join(failed, fmt.Errorf("the page has the part %q twice", name))
			return match
		}
		seen[name] = true
		var b strings.Builder
		failed = errors.Join(failed, t.ExecuteTemplate(&b, name, r))
		return fmt.Sprintf("<!-- spillway bench: %[1]s -->\n%[2]s\n<!-- /spillway bench: %[1]s -->", name, strings.TrimSpace(b.String()))
	})
	for _, name := range blocks {
		if !seen[name] && failed == nil {
			failed = fmt.Errorf("the page has no part %q: want the comments <!-- spillway bench: %[1]s --> and <!-- /spillway bench: %[1]s -->", name)
		}
	}
	return p, failed
}

func (p *Page) add(d drawing) error {
	var b bytes.Buffer
	if err := d.svg(&b); err != nil {
		return err
	}
	p.Charts[d.ID+".svg"] = b.Bytes()
	return nil
}

// Write writes the page to a file and its charts beside it.
func (p Page) Write(path string) error {
	folder := filepath.Join(filepath.Dir(path), p.Folder)
	if len(p.Charts) > 0 {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
	}
	for name, chart := range p.Charts {
		if err := os.WriteFile(filepath.Join(folder, name), chart, 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(path, []byte(p.Text), 0o666)
}

// WriteMarkdown writes the page to a file, anew where it is there already, and its charts to a folder of its name beside it.
func (r Report) WriteMarkdown(path string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p, err := r.Markdown(string(old), strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return p.Write(path)
}

// markdownRow is a line of a table.
func markdownRow(cells []string) string {
	escaped := make([]string, len(cells))
	for i, c := range cells {
		escaped[i] = strings.ReplaceAll(plain(c), "|", `\|`)
	}
	return "| " + strings.Join(escaped, " | ") + " |"
}

// plain is a text that Markdown takes for no tag, on one line.
func plain(s string) string { return strings.NewReplacer("\n", " ", "<", "&lt;").Replace(s) }
