package dashboard_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/dashboard"
)

func answer(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	dashboard.Handler().ServeHTTP(w, r)
	return w.Result()
}

// H197: what an event holds is text, and should it become more, no policy would let it run.
func TestHandlerAnswers(t *testing.T) {
	for _, c := range []struct {
		method, path string
		status       int
		kind         string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/assets/app.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/assets/style.css", 200, "text/css; charset=utf-8"},
		{"GET", "/assets/uplot/uPlot.iife.min.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/assets/uplot/LICENSE", 200, "text/plain; charset=utf-8"},
		{"GET", "/assets/uplot/SHA256SUMS", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/index.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/../handler.go", 404, "text/plain; charset=utf-8"},
		{"POST", "/", 405, "text/plain; charset=utf-8"},
	} {
		a := answer(t, c.method, c.path)
		if kind := a.Header.Get("Content-Type"); a.StatusCode != c.status || kind != c.kind {
			t.Errorf("%s %s: %d, %q, want %d, %q", c.method, c.path, a.StatusCode, kind, c.status, c.kind)
		}
		policy := a.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: the headers are %v", c.method, c.path, a.Header)
		}
	}
}

func TestUnchangedFileIsNotSentAgain(t *testing.T) {
	etag := answer(t, "GET", "/assets/app.js").Header.Get("ETag")
	if a := answer(t, "GET", "/assets/app.js", "If-None-Match", etag); etag == "" || a.StatusCode != http.StatusNotModified {
		t.Errorf("%d for the ETag %q, want 304", a.StatusCode, etag)
	}
	if a := answer(t, "GET", "/assets/style.css", "If-None-Match", etag); a.StatusCode != http.StatusOK {
		t.Errorf("%d for another file's ETag, want 200", a.StatusCode)
	}
}

// uPlot is what npm has, byte by byte, with its licence.
func TestUPlotIsWhatWasRecorded(t *testing.T) {
	folder := filepath.Join("assets", "uplot")
	sums, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	recorded := make(map[string]string)
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		recorded[name] = sum
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(recorded) != 3 || len(entries) != 4 {
		t.Errorf("%d files are recorded and %d there, want 3, and SHA256SUMS beside them", len(recorded), len(entries))
	}
	for name, want := range recorded {
		body, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not what was recorded", name)
		}
	}
}

// The page's own files make no markup of text, and have no script or style in a document.
func TestNothingBecomesMarkup(t *testing.T) {
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTML|DOMParser|\beval\b|new Function|\.style\b|https?://`)
	inline := regexp.MustCompile(`(?i)\son[a-z]+=|\sstyle=|<style|<script>|https?://`)
	files, err := filepath.Glob(filepath.Join("assets", "*"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		bad := map[string]*regexp.Regexp{".js": markup, ".html": inline}[filepath.Ext(path)]
		if bad == nil {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if found := bad.Find(text); found != nil {
			t.Errorf("%s has %q", path, found)
		}
		if lines := strings.Count(string(text), "\n"); lines > 400 {
			t.Errorf("%s has %d lines", path, lines)
		}
	}
}
