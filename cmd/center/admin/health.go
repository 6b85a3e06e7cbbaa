package admin

import (
	"net/http"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/exchange/pbx"
	"zaseki/cmd/center/roster"
)

// Parts are what a node knows of itself and of what stands beside the center.
type Parts struct {
	Node         string                `json:"node,omitempty"` // its name; "" it is the center
	Nodes        []NodeState           `json:"nodes,omitempty"`
	Trunks       []exchange.TrunkState `json:"trunks"`
	PBXs         []pbx.State           `json:"pbxs"`
	Certificates []Certificate         `json:"certificates"`
}

// NodeState is a node of the center.
type NodeState struct {
	Name  string    `json:"name"`
	HTTP  string    `json:"http"`
	Seen  time.Time `json:"seen"`
	Alive bool      `json:"alive"`
	Lines bool      `json:"lines,omitempty"` // it serves the telephones
}

// Certificate is one that others check.
type Certificate struct {
	Name   string    `json:"name"`
	Public bool      `json:"public,omitempty"` // by ACME; else of the center's own authority
	Until  time.Time `json:"until,omitzero"`   // zero: there is none yet
}

// Health is how the center's parts are.
type Health struct {
	Parts
	Mail  roster.MailState `json:"mail"`
	Warns int              `json:"warns"` // warnings and errors of the last hour at this node
	At    time.Time        `json:"at"`
}

func (a *Admin) health(w http.ResponseWriter, _ *http.Request) {
	h := Health{Parts: a.cfg.Parts(), Mail: a.cfg.Staff.MailState(), At: a.cfg.Now()}
	if h.Trunks == nil {
		h.Trunks = []exchange.TrunkState{}
	}
	if h.PBXs == nil {
		h.PBXs = []pbx.State{}
	}
	if h.Certificates == nil {
		h.Certificates = []Certificate{}
	}
	if a.cfg.Recent != nil {
		for _, l := range a.cfg.Recent.Lines() {
			if h.At.Sub(l.At) < time.Hour {
				h.Warns++
			}
		}
	}
	write(w, http.StatusOK, h)
}

// warnings are what the log has said that somebody should read, the newest first.
func (a *Admin) warnings(w http.ResponseWriter, _ *http.Request) {
	lines := []Line{}
	if a.cfg.Recent != nil {
		lines = a.cfg.Recent.Lines()
	}
	write(w, http.StatusOK, lines)
}
