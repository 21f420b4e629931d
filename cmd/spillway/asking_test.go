package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// awaitServed waits for the server at an address of a script's to be ready.
func awaitServed(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(answered("http://"+args[0]+"/readyz", ""))
}

// appears FILE waits for a file that another process makes.
func appears(ts *testscript.TestScript, _ bool, args []string) {
	for late := time.Now().Add(30 * time.Second); ; runtime.Gosched() {
		_, err := os.Stat(ts.MkAbs(args[0]))
		if err == nil {
			return
		}
		if time.Now().After(late) {
			ts.Fatalf("%v", err)
		}
	}
}

// until URL TEXT waits for an answer that has a text in it.
func until(ts *testscript.TestScript, _ bool, args []string) { ts.Check(answered(args[0], args[1])) }

// answered waits for a URL to be answered well, with a text.
func answered(url, text string) error {
	for late := time.Now().Add(30 * time.Second); ; runtime.Gosched() {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		var body []byte
		res, err := oneShot.Do(req)
		if err == nil {
			body, err = io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err == nil && res.StatusCode == http.StatusOK && strings.Contains(string(body), text) {
				return nil
			}
		}
		if time.Now().After(late) {
			return fmt.Errorf("%s is answered %s, %w; want %s", url, body, err, text)
		}
	}
}

var oneShot = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// address NAME sets a variable to one where nobody listens.
func address(ts *testscript.TestScript, _ bool, args []string) {
	found, err := freeAddress()
	ts.Check(err)
	ts.Setenv(args[0], found)
}

// ask METHOD URL STATUS FILE|- [HEADER: VALUE ...] makes a request with a file as its body, and looks at the status; what is answered is
// its stdout.
func ask(ts *testscript.TestScript, _ bool, args []string) {
	body := ""
	if args[3] != "-" {
		body = ts.ReadFile(args[3])
	}
	req, err := http.NewRequestWithContext(context.Background(), args[0], args[1], strings.NewReader(body))
	ts.Check(err)
	for _, h := range args[4:] {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := oneShot.Do(req)
	ts.Check(err)
	text, err := io.ReadAll(res.Body)
	ts.Check(errors.Join(err, res.Body.Close()))
	if fmt.Sprint(res.StatusCode) != args[2] {
		ts.Fatalf("%s %s: got %d %s, want %s", args[0], args[1], res.StatusCode, text, args[2])
	}
	_, err = ts.Stdout().Write(text)
	ts.Check(err)
}
