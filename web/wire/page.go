package wire

// What panel and page say to each other beside commands (see ParseCommand) on GET /ws?page=ID. The panel says Snapshot, Floor,
// SoundOrder and, to something it does not understand, Refused. The page says commands, WatchFloor, SoundClaim and SoundStats.
type (
	// SoundOrder tells one page what to do with its sound, whole; the newest wins.
	SoundOrder struct {
		Owner   bool   `json:"owner"`   // this page is microphone and loudspeaker
		Taken   bool   `json:"taken"`   // another page is; neither: nobody is yet
		Codec   string `json:"codec"`   // to encode with, such as PCMU; "" = as negotiated
		Live    bool   `json:"live"`    // a call wants sound now
		Restart int    `json:"restart"` // counter: when it grows the page restarts ICE
		Renew   int    `json:"renew"`   // counter: when it grows the page makes a new connection
		Mic     bool   `json:"mic"`     // the microphone is wanted though there may be no call: echo test
	}
	// SoundClaim asks that this page carry the sound from now on.
	SoundClaim struct{}
)

func (Snapshot) Type() string   { return "snapshot" }
func (SoundOrder) Type() string { return "sound.order" }
func (SoundClaim) Type() string { return "sound.claim" }

var (
	pageWords  = registry(SoundClaim{}, WatchFloor{}, SoundStats{})
	panelWords = registry(Snapshot{}, Floor{}, SoundOrder{}, Refused{})
)

// ParsePage reads what a page said: a Command, a SoundClaim, a SoundStats or a WatchFloor.
func ParsePage(e Envelope) (interface{ Type() string }, error) {
	if _, ok := pageWords[e.Type]; ok {
		return parse(pageWords, e)
	}
	return parse(pageCommands, e)
}

// ParsePanel reads what the panel said to a page: for tests and programs that play a page.
func ParsePanel(e Envelope) (interface{ Type() string }, error) { return parse(panelWords, e) }
