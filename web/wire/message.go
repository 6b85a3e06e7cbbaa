package wire

import "time"

// MessageMost is how long a message may be, in characters.
const MessageMost = 1000

// Everybody is the conversation of what is written to everybody; those of groups and persons are "g:" and "u:" with their names.
const Everybody = "all"

type (
	// SendMessage is a word to a person, a group or everybody (page → phone → center). Who may: anybody to a person who shares a group,
	// or answering whoever has written; supervisors to their groups, administrators to everybody; the center decides. In a center
	// without groups all share one. Twenty at once, then one in three seconds.
	SendMessage struct {
		To      string `json:"to,omitempty"`     // an account
		Group   string `json:"group,omitempty"`  // or a group; neither: everybody
		Text    string `json:"text"`             // line breaks stay; other control and direction characters are taken out
		Urgent  bool   `json:"urgent,omitempty"` // stays on the screen until it is read
		ReplyTo string `json:"replyTo,omitempty"`
	}
	// Message is one as its receiver or its sender has it (center → phone).
	Message struct {
		ID      string    `json:"id"`
		From    string    `json:"from"`
		Name    string    `json:"name"`         // the sender's
		To      string    `json:"to,omitempty"` // account, or "" with Group, or neither: everybody
		Group   string    `json:"group,omitempty"`
		ToName  string    `json:"toName,omitempty"` // of person or group, for the sender
		Text    string    `json:"text"`
		Urgent  bool      `json:"urgent,omitempty"`
		ReplyTo string    `json:"replyTo,omitempty"`
		At      time.Time `json:"at"`
		Mine    bool      `json:"mine,omitempty"` // sent by this account
		Read    bool      `json:"read,omitempty"` // by this account
		Seen    int       `json:"seen,omitempty"` // of a message of one's own: so many of Sent have read it
		Sent    int       `json:"sent,omitempty"`
		Readers []string  `json:"readers,omitempty"` // their names, twenty at most
	}
	// Messages is the mailbox, whole: the newest hundred of the last seven days, newest last. Newest wins.
	Messages struct {
		Rev  uint64    `json:"rev"`
		List []Message `json:"list"`
		// Part: List is only what is new or has changed since; by ID it takes the place of what there was (web/uplink puts it together,
		// nobody behind it sees one). Read, if set: everything up to this ID has been read. Marks, by conversation: this one up to that ID.
		Part  bool              `json:"part,omitempty"`
		Read  string            `json:"read,omitempty"`
		Marks map[string]string `json:"marks,omitempty"`
		// Each: the center keeps a mark for each conversation. An older one has one for all, which must not pass what nobody has opened.
		Each bool `json:"each,omitempty"`
	}
	// ReadMessages says that the person has seen all messages of a conversation up to this one (page → phone → center). Without a
	// conversation, as older phones say it: of all conversations.
	ReadMessages struct {
		UpTo string `json:"upTo"`
		With string `json:"with,omitempty"`
	}
)

// With is the conversation that the message belongs to, as its owner sees it: Everybody, "g:" and a group, or "u:" and an account.
func (m Message) With() string {
	switch {
	case m.Group != "":
		return "g:" + m.Group
	case m.To == "":
		return Everybody
	case m.Mine:
		return "u:" + m.To
	}
	return "u:" + m.From
}

func (SendMessage) Type() string  { return "message.send" }
func (Messages) Type() string     { return "messages" }
func (ReadMessages) Type() string { return "message.read" }
