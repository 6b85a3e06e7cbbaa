package wire

import "time"

// Phases of sign-in beside those of a password that is enough.
const (
	PhaseProving = "proving" // Snapshot.Proof says what is missing besides the password
	PhaseBrowser = "browser" // the person signs in at the provider, in the browser
)

// Proof is the code step of sign-in, as faces see it (PRODUCT A13).
type Proof struct {
	Need            // without its ticket
	Asked bool      `json:"asked,omitempty"` // a code is being checked, or a mail sent
	Sent  time.Time `json:"sent,omitzero"`   // of the last mail; another one MailAgain later at the earliest
	Keeps bool      `json:"keeps"`           // this machine can keep that it is trusted; else until the phone ends
}

// MailAgain is how long a person waits for a mail before another one may be asked for.
const MailAgain = 30 * time.Second

type (
	// SendCode answers the code step. Trust: nobody is asked on this machine for Need.Days.
	SendCode struct {
		Way   string `json:"way"` // a Way… constant
		Code  Secret `json:"code"`
		Trust bool   `json:"trust"`
	}
	// MailCode has a code sent by mail; Lang is the mail's language.
	MailCode struct {
		Lang string `json:"lang"`
	}
	// SignOn signs in by the provider of single sign-on, in the browser. Back gives up waiting for it.
	SignOn struct{}
)

func (SendCode) Type() string { return "signin.code" }
func (MailCode) Type() string { return "signin.mail" }
func (SignOn) Type() string   { return "signin.sso" }
