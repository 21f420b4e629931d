package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
)

// certificate writes a certificate of this machine's own, and its key.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool = x509.NewCertPool()
	for _, f := range []struct {
		path, kind string
		der        []byte
	}{{cert, "CERTIFICATE", der}, {key, "PRIVATE KEY", secret}} {
		text := pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der})
		if err := os.WriteFile(f.path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		pool.AppendCertsFromPEM(bytes.Clone(text))
	}
	return cert, key, pool
}

// secure is a bed that is asked by TLS, in one version of HTTP.
func secure(t *testing.T, two bool, change func(*server.Options)) *bed {
	t.Helper()
	cert, key, pool := certificate(t)
	b := &bed{tls: [2]string{cert, key}, client: &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}, ForceAttemptHTTP2: two,
	}}}
	b.begin(t, change)
	return b
}

// By TLS, in both versions of HTTP, events are taken and streamed, longer than any one write may take; and the end is told.
func TestTLS(t *testing.T) {
	for _, two := range []bool{false, true} {
		b := secure(t, two, func(o *server.Options) {
			o.Tokens = tokens(t, "both "+master)
			o.Bounds.Write, o.Bounds.Body, o.Bounds.Header = awhile, awhile, awhile
			o.Bounds.Heartbeat = awhile / 4
		})
		all := bearer(master)
		s := b.stream("/v1/events", all...)
		if two != (s.res.ProtoMajor == 2) {
			t.Errorf("HTTP/%d", s.res.ProtoMajor)
		}
		n := 0
		for began := time.Now(); time.Since(began) < 4*awhile; n++ {
			if r := b.post(asLines, event("a", "")+"\n"+event("b", ""), all...); r.status != http.StatusOK {
				t.Fatalf("%d %s", r.status, r.body)
			}
			for i := range 2 {
				if f, ok := s.next(); !ok || f.sequence(t) != uint64(2*n+i) {
					t.Fatalf("got %+v, %v", f, ok)
				}
			}
		}
		r := b.do("POST", "/v1/session", strings.NewReader(master), "Content-Type", "text/plain", "Origin", b.url)
		if c := r.cookie(t); !c.Secure || !strings.HasPrefix(c.Name, "__Host-") || !c.HttpOnly {
			t.Errorf("got %v", c)
		}
		if r := b.do("POST", "/v1/session", strings.NewReader(master), "Content-Type", "text/plain", "Origin", "http://"+b.address); !r.is(t, 403, "origin") {
			t.Errorf("from the page that is not secure: %d %s", r.status, r.body)
		}
		go b.stop()
		var last frame
		for f, ok := s.next(); ok; f, ok = s.next() {
			last = f
		}
		if last.event != "spillway.end" {
			t.Errorf("the last is %+v", last)
		}
		<-b.gone
	}
}

// By HTTP/2, too, a body has its time.
func TestSlowByHTTP2(t *testing.T) {
	b := secure(t, true, func(o *server.Options) { o.Bounds.Body, o.Bounds.Idle = soon, soon })
	from, to := net.Pipe() // nothing comes
	defer func() { _ = to.Close() }()
	if r := b.do("POST", "/v1/events", from, "Content-Type", asLines); !r.is(t, http.StatusRequestTimeout, "slow") {
		t.Errorf("got %d %s", r.status, r.body)
	}
}
