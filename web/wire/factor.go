package wire

import "time"

// Ways to prove who one is beside the password (PRODUCT A13).
const (
	WayApp      = "app"      // six digits of an authenticator (TOTP, RFC 6238)
	WayMail     = "mail"     // six digits by mail
	WayRecovery = "recovery" // one of ten codes kept on paper, good once
	WayDevice   = "device"   // a device that was trusted before; nobody is asked
)

// A password that is right may not be enough (PRODUCT A13). Then Checked has Need and nothing else:
//
//	POST /api/v1/mail          MailRequest    → 204            the code is on its way
//	POST /api/v1/code          CodeRequest    → 200 Checked    | 401 Problem (factor.wrong), 429
//	POST /api/v1/factor/start  FactorRequest  → 200 FactorStart   a new authenticator, by ticket or session
//	POST /api/v1/factor/confirm FactorRequest → 200 FactorCodes   with a code of it; from now on it counts
//	POST /api/v1/factor/off    FactorRequest  → 204               with a code; refused where the center demands one
//	GET  /api/v1/factor        → 200 FactorState                 what is set up, by session
//	POST /api/v1/factor/codes  FactorRequest  → 200 FactorCodes   ten new recovery codes, with a code; the old ones count no more
//	POST /api/v1/factor/forget FactorForget   → 204               a device is trusted no more; by session
//	POST /api/v1/password      PasswordRequest → 204              a new one, by session; the account's other sessions end
//	GET  /api/v1/oidc          → 200 SingleSignOn | 404        whether and how a person can sign in elsewhere
//	GET  /auth/oidc/start?handoff=H&port=P  → 302 the provider  H: base64url(SHA-256(verifier)), P: loopback port of the phone
//	GET  /auth/oidc/callback                → 302 http://127.0.0.1:P/signed-in?code=C, or the admin pages without a port
//	POST /api/v1/handoff       Handoff        → 200 Checked
type (
	// Need is what is missing besides the password.
	Need struct {
		Ticket string   `json:"ticket"`         // for CodeRequest, five tries in five minutes
		Ways   []string `json:"ways"`           // of WayApp, WayMail, WayRecovery; empty: nothing is set up yet and Enrol is true
		Mail   string   `json:"mail,omitempty"` // where a mail goes, masked: t…@example.jp
		Days   int      `json:"days,omitempty"` // a device may be trusted for so long; 0: never
		Enrol  bool     `json:"enrol,omitempty"`
		Keep   bool     `json:"keep"` // a machine may keep that it is trusted; false: a policy for shared seats forbids it, so do not ask
	}
	MailRequest struct {
		Ticket string `json:"ticket"`
		Lang   string `json:"lang"`
	}
	CodeRequest struct {
		Ticket string `json:"ticket"`
		Way    string `json:"way"`
		Code   string `json:"code"`
		Trust  bool   `json:"trust"`           // do not ask on this device for Need.Days
		Label  string `json:"label,omitempty"` // the device's name in the list of trusted ones
	}
	// FactorRequest: where an authenticator is set up already, start wants a code of it (or one of paper) and confirm one of the new.
	FactorRequest struct {
		Ticket string `json:"ticket,omitempty"` // of Need with Enrol; else the session's bearer
		Code   string `json:"code,omitempty"`
		Way    string `json:"way,omitempty"`  // what is set up: WayApp (default), WayMail
		Lang   string `json:"lang,omitempty"` // of the mail
	}
	// FactorStart is a new secret for an authenticator, or where a code went; nothing counts before it is confirmed.
	FactorStart struct {
		Secret string `json:"secret,omitempty"` // base32
		URL    string `json:"url,omitempty"`    // otpauth://…
		Mail   string `json:"mail,omitempty"`   // masked
	}
	// FactorState is what an account has set up.
	FactorState struct {
		App     bool            `json:"app"`
		Mail    string          `json:"mail,omitempty"` // masked; "" codes do not come by mail
		Codes   int             `json:"codes"`          // recovery codes left
		CanMail bool            `json:"canMail"`        // codes could come by mail: the center sends mail and knows the account's address
		Demand  bool            `json:"demand"`         // the center demands a second factor of this account: the last one cannot be turned off
		Devices []TrustedDevice `json:"devices"`
	}
	TrustedDevice struct {
		ID    string    `json:"id"`
		Label string    `json:"label"`
		Since time.Time `json:"since"`
		Until time.Time `json:"until"`
	}
	FactorForget struct {
		Device string `json:"device"` // TrustedDevice.ID
	}
	PasswordRequest struct {
		Old string `json:"old"`
		New string `json:"new"`
	}
	FactorCodes struct {
		Recovery []string `json:"recovery"`          // ten, shown once
		Checked  *Checked `json:"checked,omitempty"` // by ticket: sign-in goes on with it
	}
	SingleSignOn struct {
		Name string `json:"name"` // on the button
		Only bool   `json:"only"` // passwords are not taken (but for administrators of the first start)
	}
	Handoff struct {
		Code     string `json:"code"`
		Verifier string `json:"verifier"`
		Device   string `json:"device,omitempty"` // of a trusted device
	}
)

// Desk is what the center asks of a phone beside its calls (PRODUCT A15, B, C): who set it is the center's policy.
type Desk struct {
	CRM    *CRM     `json:"crm,omitempty"`
	Latest *Release `json:"latest,omitempty"` // newest phone; nil: the center does not say
	Keep   bool     `json:"keep"`             // account and password may be kept on this machine (A14)
	Answer int      `json:"answer,omitempty"` // seconds after which calls of queues are answered by themselves; 0 never
	View   bool     `json:"view"`             // the agent may open the seat view
	Locked Values   `json:"locked,omitempty"` // settings that the center has set for this phone
	By     string   `json:"by,omitempty"`     // who set them

	// Bound is the softphone that the center keeps for the account when the phone is signed in with another: its status changes affect the
	// account all the same, and UseTerminal mends it. Without an ID: the center keeps none for it.
	Bound *Terminal `json:"bound,omitempty"`

	Outcomes []Outcome `json:"outcomes,omitempty"` // how calls can end, for CallNote; none: a note is text alone
	Book     uint64    `json:"book,omitempty"`     // Rev of the shared Phonebook; 0 there is none
}

// CRM is the link to a customer system (PRODUCT A15).
type CRM struct {
	Login   string `json:"login,omitempty"` // opened with sign-in
	Call    string `json:"call,omitempty"`  // URL template: {caller}, {called}, {queue}, {callId}, {account}
	When    string `json:"when,omitempty"`  // ring, answer
	Outside bool   `json:"outside"`         // for outside calls only
}

// Release is a version of the phone that can be had.
type Release struct {
	Version string            `json:"version"`
	Notes   Words             `json:"notes,omitempty"`
	Files   map[string]string `json:"files,omitempty"`  // GOOS/GOARCH → URL
	Hashes  map[string]string `json:"hashes,omitempty"` // GOOS/GOARCH → SHA-256, hex
	Signs   map[string]string `json:"signs,omitempty"`  // GOOS/GOARCH → ed25519 signature of "zaseki VERSION GOOS/GOARCH SHA256\n", base64
	Notice  string            `json:"notice,omitempty"` // dialog, mark; "" by the phone's own generation (B1, B2)
}
