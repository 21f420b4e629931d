package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spillwayhq/spillway/core"
)

// A gitLog reads the history of a repository's HEAD by the git command, the oldest commit first.
type gitLog struct {
	dir     string // as it was given
	whole   string // from the root
	repo    string // the folder's name
	decoder *gitDecoder

	command *exec.Cmd
	stop    context.CancelFunc
	stderr  bytes.Buffer
	out     *bufio.Reader
	waited  bool

	line   gitLine // of the commit being read
	time   uint64
	opened bool // the commit has named no path yet
	ended  bool
}

// openGitLog starts git on a repository, bare and shallow ones too.
func openGitLog(ctx context.Context, dir string) (*gitLog, error) {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(whole); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s: is not a directory", dir)
	}
	g := &gitLog{dir: dir, whole: whole, repo: filepath.Base(whole), decoder: newGitDecoder()}
	ctx, g.stop = context.WithCancel(ctx)
	// Whatever the user's configuration says, the output is the same. A commit is \x01, its hash, parents and
	// time; each path is a status letter and a name; NUL ends all of them.
	g.command = exec.CommandContext(ctx, "git", "-C", whole, "--no-pager",
		"-c", "log.showRoot=true", "-c", "log.showSignature=false", "-c", "log.follow=false", "-c", "log.mailmap=false",
		"-c", "diff.relative=false",
		"log", "-z", "--reverse", "--topo-order", "--name-status", "--no-renames", "--no-diff-merges", "--no-ext-diff",
		"--ignore-submodules=none", "-O/dev/null", "--no-textconv", "--no-color", "--no-decorate", "--no-notes", "--format=%x01%H%x02%P%x02%ct", "HEAD", "--")
	g.command.Env = gitEnvironment(os.Environ())
	g.command.Stderr = &g.stderr
	g.command.WaitDelay = grace // a child of git's may outlive it and hold its output open
	out, err := g.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	g.out = bufio.NewReaderSize(out, 1<<16)
	if err := g.command.Start(); err != nil {
		g.stop()
		if errors.Is(err, exec.ErrNotFound) {
			err = errors.New("--git needs the git command, which is not installed")
		}
		return nil, err
	}
	return g, nil
}

// gitEnvironment drops what would make git look at another repository than it is told to.
func gitEnvironment(environ []string) []string {
	clean := make([]string, 0, len(environ)+2)
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		switch {
		case name == "GIT_CONFIG_COUNT", strings.HasPrefix(name, "GIT_CONFIG_KEY_"), strings.HasPrefix(name, "GIT_CONFIG_VALUE_"),
			name == "GIT_CEILING_DIRECTORIES", name == "GIT_CONFIG_GLOBAL", name == "GIT_CONFIG_SYSTEM", !strings.HasPrefix(name, "GIT_"):
			clean = append(clean, v)
		}
	}
	return append(clean, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
}

func (g *gitLog) next() (*core.Envelope, error) {
	for {
		token, err := g.token()
		if errors.Is(err, io.EOF) {
			if e, err := g.pathless(); e != nil || err != nil {
				return e, err
			}
			if !g.ended {
				g.ended = true
				return nil, g.wait()
			}
			return nil, io.EOF
		}
		if err != nil {
			return nil, fmt.Errorf("%s: git log: %w", g.dir, err)
		}
		token = strings.TrimPrefix(token, "\n") // which git puts before a commit's first path
		switch {
		case token == "":
		case token[0] == '\x01':
			e, err := g.pathless() // of the commit before
			if headErr := g.begin(token[1:]); headErr != nil {
				return nil, headErr
			}
			if e != nil || err != nil {
				return e, err
			}
		default:
			path, err := g.token()
			if err != nil {
				return nil, fmt.Errorf("%s: git log ends between a status and its path", g.dir)
			}
			g.opened = false
			return g.event(token, path)
		}
	}
}

// token returns what stands before the next NUL.
func (g *gitLog) token() (string, error) {
	s, err := g.out.ReadString(0)
	if err != nil {
		return "", err // what git did not end with a NUL, it did not finish
	}
	return s[:len(s)-1], nil
}

// begin reads a commit's head.
func (g *gitLog) begin(head string) error {
	fields := strings.Split(head, "\x02")
	if len(fields) != 3 || len(fields[0]) < 32 {
		return fmt.Errorf("%s: git log says %q, which is no commit", g.dir, head)
	}
	seconds, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return fmt.Errorf("%s: commit %s: its time is %q", g.dir, fields[0], fields[2])
	}
	g.time = uint64(min(max(0, seconds), math.MaxInt64/1000)) * 1000
	parents := strings.Fields(fields[1])
	for i := range parents {
		parents[i] = parents[i][:32]
	}
	g.line = gitLine{Time: &g.time, Repo: g.repo, Commit: fields[0][:32], Parents: append([]string{}, parents...)}
	g.opened = true
	return nil
}

// pathless returns the event of a commit that has named no path, if there is one to return.
func (g *gitLog) pathless() (*core.Envelope, error) {
	if !g.opened {
		return nil, nil
	}
	g.opened = false
	if len(g.line.Parents) > 1 {
		return g.event("merge", "")
	}
	return g.event("empty", "")
}

func (g *gitLog) event(op, path string) (*core.Envelope, error) {
	g.line.Op, g.line.Path = op, path
	e, err := g.decoder.lineEvent(&g.line)
	if err != nil {
		return nil, badEvent{fmt.Errorf("%s: commit %s: %s %q: %w", g.dir, g.line.Commit, op, path, err)}
	}
	return e, nil
}

// wait returns io.EOF when git has ended well, or what it said.
func (g *gitLog) wait() error {
	g.waited = true
	err := g.command.Wait()
	g.stop()
	if err == nil {
		return io.EOF
	}
	if g.unborn() {
		return fmt.Errorf("%s: the repository has no commits yet", g.dir)
	}
	if said := strings.TrimSpace(g.stderr.String()); said != "" {
		return fmt.Errorf("%s: git: %s", g.dir, said)
	}
	return fmt.Errorf("%s: git log: %w", g.dir, err)
}

// unborn tells whether HEAD names a commit that is not there: of a repository, git says so by its exit code alone.
func (g *gitLog) unborn() bool {
	command := exec.Command("git", "-C", g.whole, "rev-parse", "--quiet", "--verify", "HEAD^{commit}")
	command.Env = g.command.Env
	var exit *exec.ExitError
	return errors.As(command.Run(), &exit) && exit.ExitCode() == 1
}

// close ends git, if it has not ended, and waits for it.
func (g *gitLog) close() error {
	g.stop()
	if !g.waited {
		g.waited = true
		_ = g.command.Wait() // killed
	}
	return nil
}
