package sse

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// Query returns the Regions that a request's query asks for, and is what a Handler does where Options.Select says nothing else:
// either one by its fields,
//
//	?entity=alice&scope=shop&kind=0x1:0x00a&lane=7      or category=0x1 in place of kind
//
// or any number by their canonical text, region=entity=alice|scope=shop, percent-encoded as a query has to be. Without any of
// these it is the zero Region, which is everything. What can't be read is an error, and so is a parameter that no stream has: a Region
// with a field less is more than was asked for. A server that has parameters of its own takes them out of what it gives Query.
func Query(r *http.Request) ([]region.Region, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("the query can't be read: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains(parameters, name) {
			return nil, fmt.Errorf("%w %.40q; there are %v", errParameter, name, parameters)
		}
	}
	return queried(q)
}

// fields are those of a Region, in the order of its text.
var fields = []string{"entity", "scope", "kind", "category", "lane"}

// errParameter: a request's query has something that no stream has.
var errParameter = errors.New("there is no parameter")

// parameters are all that a stream has.
var parameters = append(slices.Clone(fields), "region", "from", "last_event_id")

func queried(q url.Values) ([]region.Region, error) {
	text := ""
	for _, name := range fields {
		values := q[name]
		if len(values) > 1 {
			return nil, fmt.Errorf("%s is there %d times; several regions are several of region=", name, len(values))
		}
		if len(values) == 0 {
			continue
		}
		value := values[0]
		if name == "kind" { // as a person may write it
			k, err := region.ParseKind(value)
			if err != nil {
				return nil, err
			}
			value = k.String()
		}
		if text != "" {
			text += "|"
		}
		text += name + "=" + value
	}
	texts := q["region"]
	switch {
	case text != "" && len(texts) > 0:
		return nil, fmt.Errorf("a region is either in region= or in %v, not in both", fields)
	case text != "":
		texts = []string{text}
	case len(texts) == 0:
		return []region.Region{{}}, nil
	}
	var regions []region.Region
	seen := make(map[region.Region]bool) // a query may have thousands, and is refused for that later
	for _, t := range texts {
		r, err := region.Parse(t)
		if err != nil {
			return nil, err
		}
		if !r.Clock.IsZero() {
			return nil, core.ErrLiveClock
		}
		if !seen[r] {
			seen[r] = true
			regions = append(regions, r)
		}
	}
	return regions, nil
}
