package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"image/color"
	"net/http"
	"regexp"
	"strings"

	"github.com/boombuler/barcode/qr"

	"zaseki/static"
	"zaseki/web/wire"
)

// Proofs is what a person proves beside the password, and sets up for it. Secrets among it are told to the page that asks and to no
// other, so that they are in no snapshot. Errors are a wire.Problem.
type Proofs interface {
	Factor(ctx context.Context) (wire.FactorState, error)
	StartFactor(ctx context.Context, in wire.FactorRequest) (wire.FactorStart, error)
	// ConfirmFactor gives the ten codes for paper; at sign-in it goes on.
	ConfirmFactor(ctx context.Context, in wire.FactorRequest) ([]string, error)
	// NewCodes gives ten new codes for paper, for a code of what is set up; the old ones count no more.
	NewCodes(ctx context.Context, in wire.FactorRequest) ([]string, error)
	DropFactor(ctx context.Context, in wire.FactorRequest) error
	ForgetDevice(ctx context.Context, id string) error
	ChangePassword(ctx context.Context, in wire.PasswordRequest) error
	// SignedOn is the browser that comes back from the provider of single sign-on, with a code or with a problem.
	SignedOn(ctx context.Context, code string, refused *wire.Problem) error
}

func (s *Server) proofs(mux *http.ServeMux) {
	own := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, s.guard.Session(h)) }
	p := s.cfg.Proofs
	own("GET /factor", func(w http.ResponseWriter, r *http.Request) {
		state, err := p.Factor(r.Context())
		s.proven(w, state, err)
	})
	own("POST /factor/start", func(w http.ResponseWriter, r *http.Request) {
		var in wire.FactorRequest
		if !read(w, r, &in) {
			return
		}
		start, err := p.StartFactor(r.Context(), in)
		out := struct {
			wire.FactorStart
			QR *picture `json:"qr,omitempty"`
		}{FactorStart: start}
		if err == nil && start.URL != "" {
			out.QR, err = draw(start.URL)
		}
		s.proven(w, out, err)
	})
	own("POST /factor/confirm", func(w http.ResponseWriter, r *http.Request) {
		var in wire.FactorRequest
		if read(w, r, &in) {
			codes, err := p.ConfirmFactor(r.Context(), in)
			s.proven(w, wire.FactorCodes{Recovery: codes}, err)
		}
	})
	own("POST /factor/codes", func(w http.ResponseWriter, r *http.Request) {
		var in wire.FactorRequest
		if read(w, r, &in) {
			codes, err := p.NewCodes(r.Context(), in)
			s.proven(w, wire.FactorCodes{Recovery: codes}, err)
		}
	})
	own("POST /factor/off", asked(s, p.DropFactor))
	own("POST /factor/forget", asked(s, func(ctx context.Context, in wire.FactorForget) error { return p.ForgetDevice(ctx, in.Device) }))
	own("POST /password", asked(s, p.ChangePassword))
	mux.HandleFunc("GET /signed-in", s.signedOn)
}

// asked reads what a page asks and answers {} or the problem.
func asked[In any](s *Server, do func(context.Context, In) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if read(w, r, &in) {
			s.proven(w, struct{}{}, do(r.Context(), in))
		}
	}
}

// proven answers a page; a refusal is a problem in JSON.
func (s *Server) proven(w http.ResponseWriter, body any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		p := wire.Problem{Code: wire.ProblemInternal}
		if !errors.As(err, &p) {
			s.cfg.Log.Error("second factor", "err", err)
		}
		body = p
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
	_ = json.NewEncoder(w).Encode(body)
}

// picture is a square of so many cells; Path draws the dark ones, a cell being 1×1.
type picture struct {
	Size int    `json:"size"`
	Path string `json:"path"`
}

// draw makes the picture that a telephone's camera reads (ISO/IEC 18004). Around it belong four cells of light.
func draw(text string) (*picture, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	p := &picture{Size: code.Bounds().Dx()}
	var path strings.Builder
	for y := range p.Size {
		for x := range p.Size {
			if code.At(x, y) == color.Black {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	p.Path = path.String()
	return p, nil
}

// plainReason is what may be repeated of a reason that came in an address: anybody can make one.
var plainReason = regexp.MustCompile(`^[\w .,:@+-]{1,80}$`)

var backPage = template.Must(template.New("").Parse(`<!doctype html><html lang="{{.Lang}}"><meta charset="utf-8"><title>Zaseki</title>` +
	`<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/css/all.css">` +
	`<main class="message"><h1>{{.Head}}</h1><p>{{.Text}}</p></main></html>`))

// signedOn is GET /signed-in?code=C or ?problem=P&reason=R: the browser comes back from the provider, by way of the center. Nobody needs
// a session for it, since it may be another browser than the page's; what counts is that the phone waits, and the verifier that the
// code belongs to.
func (s *Server) signedOn(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var refused *wire.Problem
	if code := q.Get("problem"); code != "" {
		refused = &wire.Problem{Code: wire.ProblemSingleSignOn, Holes: map[string]string{"reason": "?"}}
		if reason := q.Get("reason"); plainReason.MatchString(reason) {
			refused.Holes["reason"] = reason
		}
		if code == wire.ProblemAccountOff || code == wire.ProblemTicket {
			refused = &wire.Problem{Code: code}
		}
	}
	lang := s.reader(r)
	words := struct{ Lang, Head, Text string }{lang, static.Say(lang, "sso.done", nil), static.Say(lang, "sso.done.text", nil)}
	status := http.StatusOK
	if err := s.cfg.Proofs.SignedOn(r.Context(), q.Get("code"), refused); err != nil {
		p := wire.Problem{Code: wire.ProblemInternal}
		errors.As(err, &p)
		words.Head, words.Text = static.Say(lang, "sso.failed", nil), static.Say(lang, "problem."+p.Code, p.Holes)
		status = http.StatusBadRequest
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = backPage.Execute(w, words)
}
