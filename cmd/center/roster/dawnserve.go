package roster

import (
	"net/http"

	"zaseki/web/wire"
)

// dawnCheck is GET /api/v1/check[?format=csv]: the check of the seats, the last or the one that runs, with those seats that one may have
// checked.
func (r *Roster) dawnCheck(w http.ResponseWriter, req *http.Request) {
	account, _, err := r.bearer(req)
	if err != nil {
		r.refused(w, req, err)
		return
	}
	r.mu.RLock()
	may := r.view.checks(account)
	c := r.view.dawnOf(account)
	r.mu.RUnlock()
	switch {
	case !may:
		r.refused(w, req, wire.Problem{Code: wire.ProblemForbidden})
	case req.URL.Query().Get("format") == "csv":
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Disposition", `attachment; filename="check.csv"`)
		if _, err := w.Write([]byte("\ufeff")); err == nil { // spreadsheets know UTF-8 by it
			_ = c.WriteCSV(w) // the far side may be gone
		}
	default:
		reply(w, http.StatusOK, c)
	}
}
