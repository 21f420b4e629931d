package server

import (
	"net/http"
	"slices"
	"strings"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/region"
)

// A shape is which parts of an event a region looks at: each that is in use costs every broadcast a look.
type shape struct {
	segments int // of the entity
	scope    bool
	lane     bool
	kind     region.KindFilter // what it asks of the kind: they are looked up one by one
}

func shapeOf(r region.Region) shape {
	s := shape{scope: r.Scope != "", lane: r.Lane != region.LaneFilter{}, kind: r.Kind}
	if r.Entity != "" {
		s.segments = 1 + strings.Count(r.Entity, ":")
	}
	return s
}

// take counts the shapes of a stream's regions for its client, and refuses it where they would be too many.
func (c *clients) take(r *http.Request, shapes []shape) (release func(), p *problem.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.of(address(r))
	more := 0
	for _, s := range shapes {
		if of.shapes[s] == 0 {
			more++
		}
	}
	if more > 0 && len(of.shapes)+more > c.b.Shapes {
		return nil, problem.New(http.StatusTooManyRequests, "shapes",
			"The regions of this client's streams would be of more than %d shapes. Ask for regions that name the same parts.", c.b.Shapes).After(retry)
	}
	for _, s := range shapes {
		of.shapes[s]++
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, s := range shapes {
			if of.shapes[s]--; of.shapes[s] == 0 {
				delete(of.shapes, s)
			}
		}
	}, nil
}

// regionsOf returns the regions that a stream asks for. One of activity may ask for none.
func regionsOf(r *http.Request) ([]region.Region, error) {
	regions, err := sse.Query(r)
	if err != nil || r.URL.Path != activityPath {
		return regions, err
	}
	if slices.ContainsFunc(regionFields, r.URL.Query().Has) {
		return regions, nil
	}
	return nil, nil
}

// stream answers with events as they come.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	if s.ingests.stops() { // the streams that there are end later
		stopped().Write(w)
		return
	}
	var shapes []shape
	if regions, err := regionsOf(r); err == nil { // else the stream is refused
		for _, of := range regions[:min(len(regions), s.o.Bounds.Regions)] {
			if shape := shapeOf(of); !slices.Contains(shapes, shape) {
				shapes = append(shapes, shape)
			}
		}
	}
	release, p := s.clients.take(r, shapes)
	if p != nil {
		p.Write(w)
		return
	}
	defer release()
	s.streams.ServeHTTP(w, r)
}
