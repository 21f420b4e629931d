package sse_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/region"
)

// Whatever a query is, its Regions are valid ones that it has named, each once; a text of theirs asks for the same again.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{
		"", "region=*", "region=entity%3Da&region=scope%3Db", "entity=a&lane=0", "kind=0x1:0x00a", "category=0x1", "lane=7&lane=7", "region=clock%3D1..2",
		"entity=%zz", "entity=a;scope=b", "entity=a%7Cscope%3Db", "scope=%00", "region=", "kind=0X1:0xA&entity=%0a", "x=y",
		"entitiy=a", "entity=a&Scope=s", "from=3&entity=a&last_event_id=4", "entity=a&from=start&=",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.URL.RawQuery = raw
		regions, err := sse.Query(r)
		values, bad := url.ParseQuery(raw)
		if err != nil {
			return
		}
		if bad != nil {
			t.Fatalf("%q can't be read, and is %v", raw, regions)
		}
		for name := range values { // or a letter too many would ask for everything
			switch name {
			case "entity", "scope", "kind", "category", "lane", "region", "from", "last_event_id":
			default:
				t.Fatalf("%q has %q, and is %v", raw, name, regions)
			}
		}
		named := len(values["region"]) > 0
		for _, field := range []string{"entity", "scope", "kind", "category", "lane"} {
			named = named || len(values[field]) > 0
		}
		seen := make(map[region.Region]bool)
		again := url.Values{}
		for _, of := range regions {
			if err := of.Validate(); err != nil || seen[of] || !of.Clock.IsZero() {
				t.Fatalf("%q is %v: %v", raw, regions, err)
			}
			if of == (region.Region{}) && named && values.Get("region") == "" {
				t.Fatalf("%q is everything", raw)
			}
			seen[of] = true
			again.Add("region", of.String())
		}
		if len(regions) == 0 {
			t.Fatalf("%q is nothing", raw)
		}
		r.URL.RawQuery = again.Encode()
		back, err := sse.Query(r)
		if err != nil || len(back) != len(regions) {
			t.Fatalf("%q is %v, which asks for %v, %v", raw, regions, back, err)
		}
		for i := range back {
			if back[i] != regions[i] {
				t.Fatalf("%q is %v, which asks for %v", raw, regions, back)
			}
		}
	})
}
