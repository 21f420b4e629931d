package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// What the document gives as examples the server takes: each body, on a log that has nothing, the first being answered as its example is; and
// each parameter by itself.
func TestOpenAPIExamples(t *testing.T) {
	b := open(t, nil)
	c := readContract(t, b)
	post := c.doc.Paths.Value("/v1/events").Post
	taken := 0
	for _, contentType := range []string{asJSON, asLines, "application/cloudevents+json", "application/cloudevents-batch+json"} {
		examples := post.RequestBody.Value.Content[contentType].Examples
		for _, name := range []string{"one", "several", "lines"} {
			if examples[name] == nil {
				continue
			}
			text, lines := examples[name].Value.Value.(string)
			if !lines {
				body, err := json.Marshal(examples[name].Value.Value)
				if err != nil {
					t.Fatal(err)
				}
				text = string(body)
			}
			r := b.post(contentType, text)
			if r.status != http.StatusOK {
				t.Errorf("%s, %s: %d %s", contentType, name, r.status, r.body)
			}
			if taken++; taken == 1 {
				want := post.Responses.Value("200").Value.Content[asJSON].Examples["one"].Value.Value
				if got := decode[any](t, r.body); !reflect.DeepEqual(got, want) {
					t.Errorf("the first is answered %v, and its example is %v", got, want)
				}
			}
		}
	}
	if taken != 5 || b.next() != 8 {
		t.Errorf("%d examples of bodies, with %d events; want 5, with 8", taken, b.next())
	}
	tried := 0
	for path, item := range c.doc.Paths.Map() {
		if item.Get == nil {
			continue
		}
		for _, of := range item.Get.Parameters {
			if of.Value.Example != nil {
				tried++
				b.example(path, of.Value)
			}
		}
	}
	if tried < 25 {
		t.Errorf("%d examples of parameters: where are they?", tried)
	}
}

// example asks with a parameter's example, and nothing else.
func (b *bed) example(path string, of *openapi3.Parameter) {
	b.t.Helper()
	var headers []string
	q := make(url.Values)
	values, several := of.Example.([]any)
	if !several {
		values = []any{of.Example}
	}
	for _, v := range values {
		if of.In == "header" {
			headers = append(headers, of.Name+": "+fmt.Sprint(v))
		} else {
			q.Add(of.Name, fmt.Sprint(v))
		}
	}
	if strings.Contains(path, "{") {
		b.t.Fatalf("%s has an example of %s", path, of.Name)
	}
	if status, _ := b.begins(path+"?"+q.Encode(), headers...); status != http.StatusOK {
		b.t.Errorf("%s?%s %v: %d", path, q.Encode(), headers, status)
	}
}
