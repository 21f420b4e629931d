package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
)

// A caller is who makes a request.
type caller struct {
	may     rights
	known   bool      // by a token or a session
	session *session  // nil: none
	expires time.Time // the session
}

// who finds out who makes a request. Whoever sends a token is known by that alone. A token is taken from the header, never from a URL.
func (s *Server) who(w http.ResponseWriter, r *http.Request) caller {
	if s.o.Tokens == nil {
		return caller{may: mayRead | mayWrite, known: true}
	}
	if sent := r.Header.Values("Authorization"); len(sent) > 0 {
		scheme, text, _ := strings.Cut(sent[0], " ")
		if len(sent) > 1 || !strings.EqualFold(scheme, "Bearer") {
			return caller{}
		}
		may := s.o.Tokens.match(strings.TrimSpace(text))
		return caller{may: may, known: may != 0}
	}
	of, expires, renewed := s.sessions.of(r)
	if of == nil {
		return caller{}
	}
	if renewed != nil {
		http.SetCookie(w, renewed)
	}
	return caller{may: of.rights, known: true, session: of, expires: expires}
}

// permit lets a request through that may do what its route needs, or answers it. The request that it returns ends with the session.
func (s *Server) permit(w http.ResponseWriter, r *http.Request, need rights) (*http.Request, context.CancelFunc) {
	if need == 0 {
		return r, func() {}
	}
	c := s.who(w, r)
	switch {
	case !c.known:
		refuse(w, r, unauthorized(w, "Send one of this server's tokens, as \"Authorization: Bearer TOKEN\"; a browser by POST /v1/session."))
		return nil, nil
	case c.may&need == 0:
		what := "reading"
		if need == mayWrite {
			what = "writing"
		}
		refuse(w, r, problem.New(http.StatusForbidden, "right", "This token is not for %s. Use one that is.", what))
		return nil, nil
	case c.session == nil:
		return r, func() {}
	}
	ctx, cancel := context.WithDeadline(r.Context(), c.expires)
	stop := context.AfterFunc(c.session.ctx, cancel)
	return r.WithContext(ctx), func() {
		stop()
		cancel()
	}
}

func unauthorized(w http.ResponseWriter, detail string) *problem.Problem {
	w.Header().Set("WWW-Authenticate", `Bearer realm="spillway"`)
	return problem.New(http.StatusUnauthorized, "token", "%s", detail)
}

// refuse answers a request that doesn't come as far as its route. Whoever sends events is told that none was accepted.
func refuse(w http.ResponseWriter, r *http.Request, p *problem.Problem) {
	if r.Method == http.MethodPost && r.URL.Path == "/v1/events" {
		p.Accepted = new(int)
	}
	p.Write(w)
}
