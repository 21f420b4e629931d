package dashboard

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
)

//go:generate go run ./uplot

//go:embed assets
var assets embed.FS

// policy lets the page load and ask what its own server has, and nothing else. uPlot sets styles by the CSSOM, which a policy
// lets pass; there is no style or script in a document.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// types are by extension, not by what the machine's own table says, which may lack one.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	"":      "text/plain; charset=utf-8", // LICENSE
}

// A file is what one address answers.
type file struct {
	body []byte
	kind string
	etag string
}

type handler map[string]file // by path; read only

// Handler answers / with the page and /assets/ with its files. They are the same for everybody and tell nothing of the server's
// events, so that they may be served to whoever has no token yet.
func Handler() http.Handler {
	h := make(handler)
	err := fs.WalkDir(assets, "assets", func(name string, d fs.DirEntry, err error) error {
		kind, served := types[path.Ext(name)]
		if err != nil || d.IsDir() || !served || path.Base(name) == "SHA256SUMS" {
			return err
		}
		body, err := assets.ReadFile(name)
		sum := sha256.Sum256(body)
		at := "/" + name
		if at == "/assets/index.html" {
			at = "/"
		}
		h[at] = file{body: body, kind: kind, etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
		return err
	})
	if err != nil {
		panic(err) // what is embedded can be read
	}
	return h
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "the dashboard is read by GET", http.StatusMethodNotAllowed)
		return
	}
	f, found := h[r.URL.Path]
	if !found {
		http.Error(w, "the dashboard has no such file", http.StatusNotFound)
		return
	}
	header.Set("ETag", f.etag)
	// A new version of the program has new files under the same names: they are asked for, and mostly not sent.
	header.Set("Cache-Control", "no-cache")
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", f.kind)
	if r.Method == http.MethodGet {
		_, _ = w.Write(f.body) // whoever has gone needs no error
	}
}
