package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
)

// sessions are what browsers have in place of a token: a cookie that no script sees, and that ends soon. An EventSource can't send a
// token by a header, and in a URL it would be in every log on the way.
type sessions struct {
	most int
	idle time.Duration // how long one lasts that is not used
	name string        // of the cookie
	tls  bool

	mu  sync.Mutex
	all map[[sha256.Size]byte]*session
}

// lasts is how long a session lasts, however much it is used.
const lasts = 12 * time.Hour

// A session is what one cookie stands for.
type session struct {
	rights rights
	ctx    context.Context // over when it is ended
	end    context.CancelFunc

	begun, expires time.Time // expires under sessions.mu
}

func newSessions(b Bounds, port string, tls bool) *sessions {
	// Cookies are for a host, whatever the port: two servers of one machine have one each by their names.
	name := "spillway_" + port
	if tls {
		name = "__Host-" + name
	}
	return &sessions{most: b.Sessions, idle: b.Session, name: name, tls: tls, all: make(map[[sha256.Size]byte]*session)}
}

// begin returns the cookie of a new session.
func (s *sessions) begin(r rights) *http.Cookie {
	value := rand.Text()
	now := time.Now()
	of := &session{rights: r, begun: now, expires: now.Add(s.idle)}
	of.ctx, of.end = context.WithCancel(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.all) >= s.most {
		s.evict(now)
	}
	s.all[sha256.Sum256([]byte(value))] = of
	return s.cookie(value, s.idle)
}

// evict ends those that have expired, or else the one that expires first. mu is held.
func (s *sessions) evict(now time.Time) {
	var first [sha256.Size]byte
	var least *session
	for hash, of := range s.all {
		if now.After(of.expires) {
			s.drop(hash)
		} else if least == nil || of.expires.Before(least.expires) {
			first, least = hash, of
		}
	}
	if len(s.all) >= s.most {
		s.drop(first)
	}
}

func (s *sessions) drop(hash [sha256.Size]byte) {
	s.all[hash].end()
	delete(s.all, hash)
}

func (s *sessions) cookie(value string, age time.Duration) *http.Cookie {
	c := &http.Cookie{
		Name: s.name, Value: value, Path: "/", HttpOnly: true, Secure: s.tls, SameSite: http.SameSiteStrictMode,
		MaxAge: int(age / time.Second),
	}
	if age <= 0 {
		c.MaxAge = -1
	}
	return c
}

// of returns the session of a request, and when it expires; nil where there is none. One that is used goes on: then the cookie is to be
// set anew, if it isn't nil.
func (s *sessions) of(r *http.Request) (of *session, expires time.Time, renewed *http.Cookie) {
	sent, err := r.Cookie(s.name)
	if err != nil || sent.Value == "" {
		return nil, expires, nil
	}
	hash := sha256.Sum256([]byte(sent.Value)) // what is looked up is not what was sent: its time tells nothing
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if of = s.all[hash]; of == nil {
		return nil, expires, nil
	}
	if now.After(of.expires) {
		s.drop(hash)
		return nil, expires, nil
	}
	if until := earlier(now.Add(s.idle), of.begun.Add(lasts)); until.Sub(of.expires) > s.idle/2 {
		of.expires = until
		renewed = s.cookie(sent.Value, until.Sub(now))
	}
	return of, of.expires, renewed
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// finish ends the session of a request.
func (s *sessions) finish(r *http.Request) {
	sent, err := r.Cookie(s.name)
	if err != nil {
		return
	}
	hash := sha256.Sum256([]byte(sent.Value))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[hash] != nil {
		s.drop(hash)
	}
}

func (s *sessions) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// postSession takes a token, and answers with a cookie.
func (s *Server) postSession(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, mostToken+1))
	if err != nil || len(body) > mostToken {
		problem.New(http.StatusBadRequest, "body", "Send a token, and nothing else.").Write(w)
		return
	}
	text := strings.TrimSpace(string(body))
	switch media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media {
	case "text/plain":
	case "application/json":
		var sent struct {
			Token string `json:"token"`
		}
		if err := json.Unmarshal(body, &sent); err != nil {
			problem.New(http.StatusBadRequest, "json", `Send {"token":"..."}.`).Write(w)
			return
		}
		text = sent.Token
	default:
		problem.New(http.StatusUnsupportedMediaType, "type", "Send the token as text/plain, or {\"token\":\"...\"} as application/json.").Write(w)
		return
	}
	if s.o.Tokens != nil {
		may := s.o.Tokens.match(text)
		if may == 0 {
			unauthorized(w, "That is none of this server's tokens.").Write(w)
			return
		}
		http.SetCookie(w, s.sessions.begin(may))
	}
	w.WriteHeader(http.StatusNoContent)
}

// deleteSession forgets the cookie.
func (s *Server) deleteSession(w http.ResponseWriter, r *http.Request) {
	s.sessions.finish(r)
	http.SetCookie(w, s.sessions.cookie("", 0))
	w.WriteHeader(http.StatusNoContent)
}

// getSession says what the asker may do.
func (s *Server) getSession(w http.ResponseWriter, r *http.Request) {
	c := s.who(w, r)
	answer(w, struct {
		Asked bool `json:"asked"` // for a token
		Read  bool `json:"read"`
		Write bool `json:"write"`
	}{s.o.Tokens != nil, c.may&mayRead != 0, c.may&mayWrite != 0})
}
