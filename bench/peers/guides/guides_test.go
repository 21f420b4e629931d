package guides_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	_ "github.com/nats-io/nats.go" // the program's
)

const guide = "../../../docs/guides/from-nats-and-redis.md"

// A program that needs this module, and what it prints.
var program = regexp.MustCompile("(?s)<!-- module: bench/peers -->\n```go\n(package main\n.*?)```\n\n```text\n(.*?)```")

// TestGuide runs the guide's program beside a real NATS server. docs.TestPrograms runs the others.
func TestGuide(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the NATS server is not ready")
	}
	page, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	programs := program.FindAllStringSubmatch(string(page), -1)
	if len(programs) == 0 {
		t.Fatalf("%s has no program", guide)
	}
	for i, m := range programs {
		path := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(path, []byte(m[1]), 0o666); err != nil {
			t.Fatal(err)
		}
		run := exec.CommandContext(t.Context(), "go", "run", path)
		run.Env = append(os.Environ(), "NATS_URL="+s.ClientURL())
		if out, err := run.CombinedOutput(); err != nil || string(out) != m[2] {
			t.Errorf("program %d printed (%v)\n%swant\n%s", i+1, err, out, m[2])
		}
	}
}
