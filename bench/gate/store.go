package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spillwayhq/spillway/bench/judge"
)

const (
	historyFile   = "bench/history.jsonl"
	baselinesFile = "bench/baselines.json"
)

// Kept is what is known of a machine.
type kept struct {
	Go        string             `json:"go"` // when its first figures were taken
	Since     string             `json:"since"`
	Baselines map[string]first   `json:"baselines"`       // each row's baseline as it was first
	Noise     map[string]float64 `json:"noise,omitempty"` // by how much equal code differs, as a part
}

// A first is what a baseline was when it was first measured, of that version of the row.
type first struct {
	Version int     `json:"version"`
	Figure  float64 `json:"figure"`
}

// slackened says by how much a baseline has become slower than it was first: what is held against it only looks better.
func (k kept) slackened(j judge.Judged) string {
	const much = 1.25
	f, ok := k.Baselines[j.Row]
	if !ok || f.Version != j.Version || j.Base <= f.Figure*much {
		return ""
	}
	return fmt.Sprintf("its baseline takes %.2f times what it took first on this machine", j.Base/f.Figure)
}

// readBaselines returns what is known, by machine.
func readBaselines() (map[string]kept, error) {
	all := make(map[string]kept)
	text, err := os.ReadFile(baselinesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", baselinesFile, err)
	}
	return all, nil
}

// keep changes what is known of this machine.
func keep(m judge.Machine, change func(*kept)) error {
	all, err := readBaselines()
	if err != nil {
		return err
	}
	k, ok := all[m.Key()]
	if !ok {
		k = kept{Go: m.Go, Since: time.Now().UTC().Format(time.DateOnly), Baselines: map[string]first{}, Noise: map[string]float64{}}
	}
	if k.Noise == nil {
		k.Noise = map[string]float64{}
	}
	change(&k)
	all[m.Key()] = k
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	fresh := baselinesFile + ".new" // in place of the old one when it is whole
	if err := os.WriteFile(fresh, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(fresh, baselinesFile)
}

// A figures line is what was recorded of one commit.
type figuresLine struct {
	Date    string         `json:"date"`
	After   string         `json:"after"` // the commit that was checked out, which the record comes after
	Machine judge.Machine  `json:"machine"`
	Rows    []judge.Judged `json:"rows"`
}

// recordFigures appends a line to the history, and keeps baselines that were never measured on this machine.
func recordFigures(m judge.Machine, head string, rows []judge.Judged) error {
	for _, j := range rows {
		if !j.Verdict.Measured() {
			return fmt.Errorf("nothing is recorded, since %s could not be measured: %s", j.Row, j.Note)
		}
	}
	line, err := json.Marshal(figuresLine{time.Now().UTC().Format(time.RFC3339), head, m, rows})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(historyFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return keep(m, func(k *kept) {
		for _, j := range rows {
			if f, ok := k.Baselines[j.Row]; (!ok || f.Version != j.Version) && j.Against != "" {
				k.Baselines[j.Row] = first{j.Version, j.Base}
			}
		}
	})
}

// git runs git in the current folder and returns what it printed.
func git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(string(failed.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}
