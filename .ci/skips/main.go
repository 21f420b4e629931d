// Command skips reads `go test -json` and prints each failed test with its output, each package's result, and
// the skipped tests with their reasons. Under CI a test may only be skipped where .ci/allowed-skips says why:
// a missing tool is a failure there.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

func main() {
	allowed := flag.String("allowed", "", "file of tests that may be skipped: PACKAGE TEST REASON a line")
	ci := flag.String("ci", "", "not empty: any other skip is a failure")
	flag.Parse()
	may, err := readAllowed(*allowed)
	if err != nil {
		fmt.Fprintln(os.Stderr, "skips:", err)
		os.Exit(2)
	}
	code, err := report(os.Stdin, os.Stdout, may, *ci != "")
	if err != nil {
		fmt.Fprintln(os.Stderr, "skips:", err)
		os.Exit(2)
	}
	os.Exit(code)
}

func readAllowed(path string) (map[string]bool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	may := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) >= 3 && !strings.HasPrefix(line, "#") {
			may[fields[0]+" "+fields[1]] = true
		}
	}
	return may, nil
}

func report(in io.Reader, out io.Writer, may map[string]bool, ci bool) (code int, err error) {
	outputs := map[string][]string{}
	var skipped []string
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(out, lines.Text())
			continue
		}
		id := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			if e.Action == "build-output" {
				fmt.Fprint(out, e.Output)
			}
			outputs[id] = append(outputs[id], e.Output)
		case "fail":
			fmt.Fprint(out, strings.Join(outputs[id], ""))
			code = 1
		case "skip":
			if e.Test == "" {
				continue // a package without tests
			}
			why := reason(outputs[id])
			parent, _, _ := strings.Cut(e.Test, "/")
			if ci && !may[id] && !may[e.Package+" "+parent] {
				why += " -- NOT ALLOWED under CI"
				code = 1
			}
			skipped = append(skipped, "skipped: "+id+": "+why)
		case "pass":
			if e.Test == "" {
				fmt.Fprintf(out, "ok  \t%s\t%.3fs\n", e.Package, e.Elapsed)
			}
		}
	}
	slices.Sort(skipped)
	for _, s := range skipped {
		fmt.Fprintln(out, s)
	}
	return code, lines.Err()
}

// reason is the line that the test printed before it said that it was skipped.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "--- SKIP") && !strings.HasPrefix(line, "=== ") {
			return line
		}
	}
	return "no reason given"
}
