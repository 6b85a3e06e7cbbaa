package admin

import (
	"net/http"
	"time"
)

// backup sends the whole log.
func (a *Admin) backup(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	rc.SetWriteDeadline(time.Time{}) // as long as it takes
	w.Header().Set("Content-Type", "application/zstd")
	s, err := a.cfg.Ledger.Backup(r.Context(), w)
	if err != nil {
		a.log.Error("backup", "err", err)
		panic(http.ErrAbortHandler) // the other side must not take half for whole
	}
	a.log.Info("backup sent", "by", by(r), "events", uint64(s.Seq))
}

// logState says how the log is; a cluster without a majority has no complete answer.
func (a *Admin) logState(w http.ResponseWriter, r *http.Request) {
	s, err := a.cfg.Ledger.State(r.Context())
	if err != nil {
		a.log.Warn("state of the log", "err", err)
		if s.ReadOnly == "" {
			s.ReadOnly = "the log does not answer"
		}
	}
	write(w, http.StatusOK, s)
}
