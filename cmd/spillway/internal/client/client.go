package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// A Client makes requests to one server. Several goroutines may use it at once.
type Client struct {
	base   *url.URL
	token  string
	client *http.Client
}

// mostAnswer bounds what is read of an answer that is no stream: more is an error, not memory.
const mostAnswer = 16 << 20

// mostToken bounds a token's file.
const mostToken = 4 << 10

// New returns the Client of a server, given as its URL. The file's text, less the space around it, is the token; "" is no file.
// It doesn't go there.
func New(server, tokenFile string) (*Client, error) {
	u, err := url.Parse(server)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the server %q: %w", server, errors.Unwrap(err))
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("the server %q is no URL such as http://127.0.0.1:7878", server)
	case u.User != nil:
		return nil, errors.New("the server's URL has a name or a password in it: a token is given by a file")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the server %q has a query: it is the part before that is wanted", server)
	}
	c := &Client{base: u, client: &http.Client{
		// A token is for this server, not for where it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if tokenFile != "" {
		if c.token, err = readToken(tokenFile); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // nothing was written
	text, err := io.ReadAll(io.LimitReader(f, mostToken+1))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	odd := strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
	if token == "" || odd >= 0 || len(text) > mostToken {
		return "", fmt.Errorf("%s: want one token, and nothing else", path) // and never what is in it
	}
	return token, nil
}

// URL returns where a path of the server is, with a query.
func (c *Client) URL(path string, query url.Values) string {
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	return u.String()
}

// Header returns what each request has.
func (c *Client) Header() http.Header {
	h := http.Header{"User-Agent": {"spillway"}}
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
	return h
}

// HTTP returns what makes the requests.
func (c *Client) HTTP() *http.Client { return c.client }

// Get reads the JSON at a path.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL(path, query), http.NoBody)
	if err != nil {
		return err
	}
	return c.do(req, into)
}

// answerWithin is how long a server may take to answer what is no stream.
const answerWithin = 30 * time.Second

// do makes a request, and reads what is answered.
func (c *Client) do(req *http.Request, into any) error {
	maps.Copy(req.Header, c.Header())
	res, err := c.client.Do(req)
	if err != nil {
		return &unreached{c.base.Host, err}
	}
	defer func() { _ = res.Body.Close() }() // nothing was written
	body, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer+1))
	switch {
	case err != nil:
		return &unreached{c.base.Host, err}
	case res.StatusCode != http.StatusOK:
		return newProblem(res, body)
	case len(body) > mostAnswer:
		return fmt.Errorf("%s answers with more than %d MiB", c.base.Host, mostAnswer>>20)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s answers with something else than spillway serve would: %w", c.base.Host, err)
	}
	return nil
}

// unreached: there was no answer, or only half of one.
type unreached struct {
	host string
	err  error
}

func (e *unreached) Error() string {
	err := e.err
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // less the URL, which is as the user gave it
	}
	return fmt.Sprintf("no answer from %s: %v", e.host, err)
}

func (e *unreached) Unwrap() error { return e.err }
