package wire

// Words are a text in several languages, by language code; "en" and "ja" are always there.
type Words map[string]string

// In is the text in that language, or in English, or whatever there is.
func (w Words) In(lang string) string {
	if s := w[lang]; s != "" {
		return s
	}
	return w["en"]
}

// Standard statuses (PRODUCT D2) and system statuses nobody picks (D4).
const (
	StatusAvailable = "available" // 受付可
	StatusWork      = "acw"       // 後作業, after-call work
	StatusBreak     = "break"     // 休憩中
	StatusAway      = "away"      // 離席中
	StatusOff       = "off"       // ログオフ

	StatusRinging = "ringing" // 着信中
	StatusTalking = "talking" // 通話中
	StatusDialing = "dialing" // 発信通話
	StatusLost    = "lost"    // 接続切れ
)

// StatusDef defines a status. Classes: available, work, pause, off, system. Only class available takes outside calls.
// Colour is a token of the style sheet, never a value: status is told by colour, sign and word.
type StatusDef struct {
	ID       string `json:"id"`
	Name     Words  `json:"name"`
	Class    string `json:"class"`
	Colour   string `json:"colour"` // green, blue, amber, grey, red, violet
	Sign     string `json:"sign"`   // one character
	Pickable bool   `json:"pickable"`
	Minutes  int    `json:"minutes,omitempty"` // longest stay; 0 = no limit
}

// TakesOutside says whether outside calls ring in this status.
func (d StatusDef) TakesOutside() bool { return d.Class == "available" }

// StandardStatuses are the nine every center has, in order.
func StandardStatuses() []StatusDef {
	return []StatusDef{
		{ID: StatusAvailable, Name: Words{"en": "Available", "ja": "受付可"}, Class: "available", Colour: "green", Sign: "●", Pickable: true},
		{ID: StatusWork, Name: Words{"en": "After-call work", "ja": "後作業"}, Class: "work", Colour: "blue", Sign: "✎", Pickable: true},
		{ID: StatusBreak, Name: Words{"en": "On break", "ja": "休憩中"}, Class: "pause", Colour: "amber", Sign: "☕", Pickable: true},
		{ID: StatusAway, Name: Words{"en": "Away", "ja": "離席中"}, Class: "pause", Colour: "grey", Sign: "↗", Pickable: true},
		{ID: StatusOff, Name: Words{"en": "Logged off", "ja": "ログオフ"}, Class: "off", Colour: "grey", Sign: "○"},
		{ID: StatusRinging, Name: Words{"en": "Ringing", "ja": "着信中"}, Class: "system", Colour: "red", Sign: "♪"},
		{ID: StatusTalking, Name: Words{"en": "On a call", "ja": "通話中"}, Class: "system", Colour: "red", Sign: "☎"},
		{ID: StatusDialing, Name: Words{"en": "Outbound call", "ja": "発信通話"}, Class: "system", Colour: "violet", Sign: "➚"},
		{ID: StatusLost, Name: Words{"en": "Connection lost", "ja": "接続切れ"}, Class: "system", Colour: "grey", Sign: "⚠"},
	}
}

// Profile is the set of behaviours a center asks of its phones, by generation of the manual (PRODUCT, head).
type Profile struct {
	Name         string `json:"name"`         // 3.4, 3.5, 3.6, 3.7, 3.9
	StripPasted  bool   `json:"stripPasted"`  // A2 (≥3.7): tabs and line breaks are removed from account and password
	OneStep      bool   `json:"oneStep"`      // A4 (≤3.4)
	SeatAlways   bool   `json:"seatAlways"`   // A9 (≤3.4): seat field without a seat view
	LeaveSeat    bool   `json:"leaveSeat"`    // A11 (≥3.6): 着席しない removes from the seat view at once
	StatusShown  bool   `json:"statusShown"`  // D7 (≥3.6): the shown status opens the list
	RefuseInCall bool   `json:"refuseInCall"` // D9 (≥3.7): a change during a call is refused and offered as next status
}

// ProfileOf is the set by its name; an unknown name is the newest.
func ProfileOf(name string) Profile {
	switch name {
	case "3.4":
		return Profile{Name: name, OneStep: true, SeatAlways: true}
	case "3.5":
		return Profile{Name: name}
	case "3.6":
		return Profile{Name: name, LeaveSeat: true, StatusShown: true}
	case "3.7":
		return Profile{Name: name, StripPasted: true, LeaveSeat: true, StatusShown: true, RefuseInCall: true}
	}
	return Profile{Name: "3.9", StripPasted: true, LeaveSeat: true, StatusShown: true, RefuseInCall: true}
}
