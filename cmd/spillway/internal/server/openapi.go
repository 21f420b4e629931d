package server

import (
	_ "embed" // the document
	"net/http"
)

//go:embed openapi.json
var openAPI []byte

// getOpenAPI says what the routes take and answer.
func getOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openAPI) // if that fails there is nobody to tell
}
