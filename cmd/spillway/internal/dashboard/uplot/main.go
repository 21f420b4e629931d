// Command uplot copies uPlot's files from npm into the dashboard's assets, and records what they are. A second run that brings
// other bytes fails: a version is what it was.
//
//	go generate ./cmd/spillway/internal/dashboard
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

const (
	version = "1.6.32"
	archive = "4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d" // the SHA-256 of what npm pack brings
	folder  = "assets/uplot"
	most    = 1 << 20 // bytes of a file
)

// files are those that are copied, in the order in which they are recorded.
var files = []string{"LICENSE", "uPlot.iife.min.js", "uPlot.min.css"}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal("uplot: ", err)
	}
}

func run(ctx context.Context) error {
	temp, err := os.MkdirTemp("", "uplot")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	npm := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", temp, "uplot@"+version)
	npm.Stderr = os.Stderr
	if err := npm.Run(); err != nil {
		return fmt.Errorf("npm pack: %w", err)
	}
	packed, err := os.ReadFile(filepath.Join(temp, "uplot-"+version+".tgz"))
	if err != nil {
		return err
	}
	if sum := sumOf(packed); sum != archive {
		return fmt.Errorf("uplot %s is %s, want %s", version, sum, archive)
	}
	found, err := unpack(packed)
	if err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, name := range files {
		body, ok := found[name]
		if !ok {
			return fmt.Errorf("uplot %s has no %s", version, name)
		}
		if err := os.WriteFile(filepath.Join(folder, name), body, 0o600); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sumOf(body), name)
	}
	return os.WriteFile(filepath.Join(folder, "SHA256SUMS"), sums.Bytes(), 0o600)
}

// unpack returns the files of an archive by their last name.
func unpack(packed []byte) (map[string][]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	found := make(map[string][]byte)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if found[path.Base(h.Name)], err = io.ReadAll(io.LimitReader(r, most)); err != nil {
			return nil, err
		}
	}
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
