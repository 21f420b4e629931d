package server

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
)

// answer answers with JSON.
func answer(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil { // what is answered can be written
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // if that fails there is nobody to tell
}

// query reads a request's query: each of the names once at most, and no others.
func query(r *http.Request, names ...string) (map[string]string, *problem.Problem) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, problem.New(http.StatusBadRequest, "query", "The query can't be read: %v.", err)
	}
	q := make(map[string]string)
	for name, v := range values {
		switch {
		case len(names) == 0:
			return nil, problem.New(http.StatusBadRequest, "query", "There is no parameter %.40q here, nor any other.", name)
		case !slices.Contains(names, name):
			return nil, problem.New(http.StatusBadRequest, "query", "There is no parameter %.40q here; there are %q.", name, names)
		case len(v) > 1:
			return nil, problem.New(http.StatusBadRequest, "query", "The parameter %.40q is there %d times. Give it once.", name, len(v))
		}
		q[name] = v[0]
	}
	return q, nil
}

// limited reads how many of something are wanted.
func limited(text string, usual, most int) (int, *problem.Problem) {
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, problem.New(http.StatusBadRequest, "limit", "The limit is a number from 1 to %d.", most)
	}
	return min(n, most), nil
}
