package server

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
)

// hosts are those by which the server may be asked. A page from elsewhere may have its own name lead to this machine; then a
// browser sends that name.
type hosts struct {
	allowed map[string]bool // name:port, in lower case
	any     bool            // any address that is a number
	port    string          // the listener's
	tls     bool
}

var errHost = errors.New("want a name or an address, and a port if need be")

// splitHost divides what a Host header may be: an IPv6 address in brackets, any other host without. port is "" where there is none.
func splitHost(s string) (host, port string, err error) {
	host = s
	if end := strings.IndexByte(s, ']'); strings.HasPrefix(s, "[") && end > 0 {
		host = s[1:end]
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() || a.Zone() != "" {
			return "", "", errHost
		}
		port = s[end+1:]
	} else if colon := strings.IndexByte(s, ':'); colon >= 0 {
		host, port = s[:colon], s[colon:]
	}
	if port != "" {
		if port[0] != ':' {
			return "", "", errHost
		}
		port = port[1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return "", "", errHost
		}
	}
	name := strings.ToLower(host)
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-._:") != "" || name == "" || strings.HasSuffix(name, ".") || len(name) > 253 {
		return "", "", errHost
	}
	return name, port, nil
}

// newHosts takes what Options say, and the listener's port, for those that say none.
func newHosts(o Options, port string) *hosts {
	h := &hosts{allowed: make(map[string]bool), any: o.AnyAddress, port: port, tls: o.TLS}
	for _, text := range o.Hosts {
		name, at, err := splitHost(text)
		if err != nil {
			continue // Options have been looked at
		}
		if at == "" {
			h.allowed[name+":"+port] = true
			at = h.usual()
		}
		h.allowed[name+":"+at] = true
	}
	return h
}

// usual is the port that goes without saying.
func (h *hosts) usual() string {
	if h.tls {
		return "443"
	}
	return "80"
}

// takes tells whether the server may be asked by a host.
func (h *hosts) takes(host string) bool {
	name, port, err := splitHost(host)
	if err != nil {
		return false
	}
	if port == "" {
		port = h.usual()
	}
	if h.allowed[name+":"+port] {
		return true
	}
	_, err = netip.ParseAddr(name)
	return h.any && err == nil && port == h.port
}

// check refuses a request that comes by another host, or from another's page. The host comes first: without it a page of
// evil.example whose name leads here would be of this origin.
func (h *hosts) check(r *http.Request) *problem.Problem {
	if !h.takes(r.Host) {
		return problem.New(http.StatusForbidden, "host",
			"This server is not asked by the host %.100q. Use the address that it listens at, or start it with --host.", r.Host)
	}
	origins := r.Header.Values("Origin")
	if len(origins) > 1 || len(origins) == 1 && !h.own(origins[0], r.Host) || crossSite(r) {
		return problem.New(http.StatusForbidden, "origin", "This server's answers are for its own pages, and not for those of another site.")
	}
	return nil
}

// own tells whether an Origin is that of the pages at host.
func (h *hosts) own(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || h.tls && u.Scheme != "https" {
		return false
	}
	return strings.EqualFold(u.Scheme+"://"+host, origin)
}

// crossSite tells whether a browser says that another site's page asks. Somebody may follow a link from there.
func crossSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	page := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	return !page || r.Method != http.MethodGet && r.Method != http.MethodHead
}
