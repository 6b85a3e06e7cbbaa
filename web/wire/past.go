package wire

import "time"

type (
	// FloorDay is a day of the seat view in steps of a minute: what the slider of the past (PRODUCT G8) shows beneath it. Counts are agents by
	// class of status (StatusDef.Class), one number for each minute from From on, as it was when the minute began; of a minute before Kept or after now it
	// is -1, in Talking and Waiting too.
	FloorDay struct {
		Floor   string           `json:"floor,omitempty"` // "" all
		From    time.Time        `json:"from"`            // midnight of the center's zone
		Until   time.Time        `json:"until"`
		Minutes int              `json:"minutes"` // from From to Until; 1,380 to 1,500 where clocks are set
		Kept    time.Time        `json:"kept"`    // the first moment that is known
		Counts  map[string][]int `json:"counts"`
		Talking []int            `json:"talking"`        // agents in a call
		Waiting []int            `json:"waiting"`        // callers in queues of the whole center, the most at once in that minute
		Gaps    []Span           `json:"gaps,omitempty"` // in which the center was away: what is shown there is what phones told afterwards
	}
	// Span is a stretch of time.
	Span struct {
		From  time.Time `json:"from"`
		Until time.Time `json:"until"`
	}
)

// The panel hands these through to its page, with the session of whoever is signed in; the center decides who may (PRODUCT E4):
//
//	GET /floor/past?at=RFC3339[&floor=ID]   Floor as it was
//	GET /floor/day?day=2006-01-02[&floor=ID] FloorDay
//	GET /timeline?call=ID                    Timeline, the center's part beside the phone's own
