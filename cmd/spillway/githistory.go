package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A gitLine is one line of a history: what a commit did to one path, or that it names none.
type gitLine struct {
	Time    *uint64  `json:"time"` // milliseconds since 1970
	Repo    string   `json:"repo"`
	Commit  string   `json:"commit"` // the first 32 hexadecimal digits
	Parents []string `json:"parents"`
	Op      string   `json:"op"` // A, M, D, T; merge, empty
	Path    string   `json:"path"`
}

// A gitDecoder turns a history into events. A commit's lines come one after the other, and its parents
// come before it, if the input has them.
type gitDecoder struct {
	names   names
	paths   map[string]string // of repositories' paths: the entities
	scopes  map[string]string // of repositories' names
	commits map[commitKey]*commit
	current *commit // whose lines are being read
	key     commitKey
	lanes   uint32                 // given out so far
	count   uint64                 // events so far
	newID   func(*gitLine) core.ID // nil: which event of the input it is
}

type commitKey struct {
	repo string
	id   core.ID
}

// A commit is what its children need to know.
type commit struct {
	id      core.ID
	cause   core.ID // the last event of its first parent; zero where the input has none
	last    core.ID // its own last event
	lane    uint32
	depth   uint32
	carried bool // a first child has gone on with its lane
}

func newGitDecoder() *gitDecoder {
	return &gitDecoder{
		names:   make(names),
		paths:   make(map[string]string),
		scopes:  make(map[string]string),
		commits: make(map[commitKey]*commit),
	}
}

var gitKinds = map[string]region.Kind{
	"A": mustKind(1, 1), "M": mustKind(1, 2), "D": mustKind(1, 3), "T": mustKind(1, 4),
	"merge": mustKind(2, 1), "empty": mustKind(2, 2),
}

func mustKind(category uint8, typ uint16) region.Kind {
	k, err := region.NewKind(category, typ)
	if err != nil {
		panic(err) // a constant of ours
	}
	return k
}

func (d *gitDecoder) parse(line []byte) (any, error) {
	l := new(gitLine)
	if err := json.Unmarshal(line, l); err != nil {
		return nil, notJSON(err)
	}
	return l, nil
}

func (d *gitDecoder) event(said any) (*core.Envelope, error) { return d.lineEvent(said.(*gitLine)) }

// lineEvent returns the event of a line.
func (d *gitDecoder) lineEvent(l *gitLine) (*core.Envelope, error) {
	switch {
	case l.Time == nil:
		return nil, missing("time")
	case l.Repo == "":
		return nil, missing("repo")
	case l.Commit == "":
		return nil, missing("commit")
	case l.Parents == nil:
		return nil, missing("parents")
	case l.Op == "":
		return nil, missing("op")
	}
	kind, ok := gitKinds[l.Op]
	if !ok {
		return nil, fmt.Errorf("op %q is none of A, M, D, T, merge, empty", l.Op)
	}
	pathless := l.Op == "merge" || l.Op == "empty"
	if !pathless && l.Path == "" {
		return nil, missing("path")
	}
	scope := d.scope(l.Repo)
	entity := segment(l.Repo)
	if !pathless {
		entity = d.entity(l.Path)
	}
	name, err := region.NewCoordinate(entity, scope)
	if err != nil {
		return nil, err
	}
	c, err := d.commit(l)
	if err != nil {
		return nil, err
	}
	d.count++
	e := &core.Envelope{Time: *l.Time}
	e.EventID, e.CorrelationID, e.CausationID = numbered(d.count), c.id, c.cause
	if d.newID != nil {
		e.EventID = d.newID(l)
	}
	e.Coordinate, e.Kind = name, kind
	e.Position = region.Position{WallMS: *l.Time, Depth: c.depth, Lane: c.lane}
	c.last = e.EventID
	return e, nil
}

// commit returns the commit of a line, a new one where it is its first.
func (d *gitDecoder) commit(l *gitLine) (*commit, error) {
	id, err := commitID(l.Commit)
	if err != nil {
		return nil, err
	}
	key := commitKey{d.names.intern(l.Repo), id}
	if d.current != nil && d.key == key {
		return d.current, nil
	}
	c := d.commits[key]
	if c == nil {
		parents := make([]*commit, len(l.Parents))
		for i, p := range l.Parents {
			id, err := commitID(p)
			if err != nil {
				return nil, err
			}
			parents[i] = d.commits[commitKey{key.repo, id}]
		}
		c = d.child(id, parents)
		d.commits[key] = c
	}
	d.current, d.key = c, key
	return c, nil
}

// child returns a new commit of these parents; nil stands for one that the input doesn't have.
func (d *gitDecoder) child(id core.ID, parents []*commit) *commit {
	c := &commit{id: id}
	for _, p := range parents {
		if p != nil {
			c.depth = max(c.depth, p.depth+1)
		}
	}
	if len(parents) > 0 && parents[0] != nil {
		first := parents[0]
		c.cause = first.last
		if !first.carried {
			first.carried = true
			c.lane = first.lane
			return c
		}
	}
	c.lane = d.lanes
	d.lanes++
	return c
}

func (d *gitDecoder) scope(repo string) string {
	s, ok := d.scopes[repo]
	if !ok {
		s = region.Escape(repo)
		d.scopes[d.names.intern(repo)] = s
	}
	return s
}

// entity returns a path as an entity: a segment a folder.
func (d *gitDecoder) entity(path string) string {
	e, ok := d.paths[path]
	if !ok {
		segments := strings.Split(path, "/")
		for i, s := range segments {
			segments[i] = segment(s)
		}
		e = strings.Join(segments, ":")
		d.paths[strings.Clone(path)] = e
	}
	return e
}

// segment escapes one segment of an entity, its own colons too.
func segment(s string) string { return strings.ReplaceAll(region.Escape(s), ":", "%3A") }
