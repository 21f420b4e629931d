package debug

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's template
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spillwayhq/spillway/core"
)

const (
	usual = 200  // rows, where the request says nothing
	most  = 1000 // rows, whatever the request says
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"visible": visible}).Parse(pageText))

// policy forbids everything but the page's own style sheet.
var policy = "default-src 'none'; style-src '" + styleHash() + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// styleHash is the style sheet's in a Content-Security-Policy.
func styleHash() string {
	_, style, _ := strings.Cut(pageText, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

type handler struct{ sources []core.Source }

// Handler returns a handler that shows the sources' figures and their subscriptions, the fullest first, then
// the oldest. Every *core.Fanout is a source; nil ones are passed over. It answers GET and HEAD, at any path.
//
// The page is HTML, without scripts; it is JSON for a request whose Accept prefers application/json to
// text/html. The query may say more:
//
//	format=html|json  whatever Accept says
//	sort=full|lost    lost: those first that had most events overwritten or replaced
//	limit=N           how many subscriptions to show, from 1; 200 if absent, at most 1,000
//
// A request describes every subscription, one after the other, and keeps the descriptions of twice its limit at
// most. It holds up no broadcast.
func Handler(sources ...core.Source) http.Handler {
	h := &handler{}
	for _, s := range sources {
		if s != nil {
			h.sources = append(h.sources, s)
		}
	}
	return h
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Vary", "Accept")
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "spillway/debug: this page answers GET and HEAD only", http.StatusMethodNotAllowed)
		return
	}
	q, err := readQuery(r.URL.Query(), r.Header.Values("Accept"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	header.Set("Content-Type", map[string]string{
		formatHTML: "text/html; charset=utf-8",
		formatJSON: "application/json",
	}[q.format])
	if r.Method == http.MethodHead {
		return
	}
	p, err := h.page(r.Context(), q, time.Now())
	if err != nil {
		return // the client has gone
	}
	var body bytes.Buffer
	if q.format == formatJSON {
		err = json.NewEncoder(&body).Encode(p)
	} else {
		err = pageTemplate.Execute(&body, p)
	}
	if err != nil { // a source of the user's says what can't be told
		http.Error(w, "spillway/debug: "+err.Error(), http.StatusInternalServerError)
		return
	}
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	_, _ = w.Write(body.Bytes()) // if that fails there is nobody to tell
}

const (
	formatHTML = "html"
	formatJSON = "json"
	sortFull   = "full"
	sortLost   = "lost"
)

// query is what a request asks for.
type query struct {
	format, sort string
	limit        int
}

// Why a request is refused. The texts repeat nothing of the request.
var (
	errFormat = errors.New("spillway/debug: format is html or json")
	errSort   = errors.New("spillway/debug: sort is full or lost")
	errLimit  = errors.New("spillway/debug: limit is a number, from 1")
)

func readQuery(values url.Values, accept []string) (q query, err error) {
	q = query{format: formatHTML, sort: sortFull, limit: usual}
	switch format := values.Get("format"); format {
	case "":
		if prefersJSON(strings.Join(accept, ",")) {
			q.format = formatJSON
		}
	case formatHTML, formatJSON:
		q.format = format
	default:
		return q, errFormat
	}
	switch sort := values.Get("sort"); sort {
	case "":
	case sortFull, sortLost:
		q.sort = sort
	default:
		return q, errSort
	}
	if text := values.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil && !errors.Is(err, strconv.ErrRange) || n < 1 { // out of range, Atoi returns the nearest number
			return q, errLimit
		}
		q.limit = min(n, most)
	}
	return q, nil
}
