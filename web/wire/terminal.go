package wire

// UseTerminal moves the sign-in to the terminal that the center keeps for the account (Desk.Bound), when it is that one still (PRODUCT
// A17). A page says it to the agent and the phone to the center, which refuses it during a call.
type UseTerminal struct {
	Terminal string `json:"terminal"`
}

func (UseTerminal) Type() string { return "terminal.use" }
