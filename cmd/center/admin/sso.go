package admin

import (
	"errors"
	"net/http"

	"zaseki/cmd/center/roster"
)

// SignOn is what GET /auth/oidc/callback has led to the page /admin/sso with. A problem is in that page's address instead: problem, the
// code of a wire.Problem, and reason, its hole.
type SignOn struct {
	Code string `json:"code"`
}

// signOn is a sign-in by a provider. It is a request of a page of ours, since the session's cookie is a strict one: a browser that
// comes by the provider's redirect would not send it on.
func (a *Admin) signOn(w http.ResponseWriter, r *http.Request) {
	var in SignOn
	if !read(w, r, &in) {
		return
	}
	p, err := a.cfg.Staff.SignedOn(w, r, in.Code, a.device(r))
	if need := (roster.Needed{}); errors.As(err, &need) {
		write(w, http.StatusOK, SignedIn{Need: &need.Need})
		return
	}
	a.enter(w, r, p, SignedIn{}, err)
}
