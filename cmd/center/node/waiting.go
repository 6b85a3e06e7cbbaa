package node

import (
	"zaseki/cmd/center/exchange"
	"zaseki/media/sealed"
)

// message begins the recording of what a caller leaves for a queue.
func (n *Node) message(v exchange.VoiceMessage) (exchange.MessageFile, error) {
	return n.vault.Message(sealed.Info{Call: v.Call, Queue: v.Queue, Peer: v.From, Began: v.Began})
}

// lookBeside has the exchange know who stands beside it, as soon as the site says so.
func (n *Node) lookBeside() {
	if n.exchange != nil {
		n.exchange.Look()
	}
}

// registered says whether a terminal can be rung here.
func (n *Node) registered(user string) bool {
	return n.exchange == nil || n.exchange.Reachable(user)
}
