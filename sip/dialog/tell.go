package dialog

func (c *Call) telling(listen func() func(Event)) {
	defer close(c.done)
	tell := c.introduced(listen)
	if tell == nil {
		tell = func(Event) {}
		_ = c.Reject(480, "Temporarily Unavailable")
	}
	for {
		<-c.events.wake
		for _, e := range c.events.take() {
			c.say(tell, e)
		}
		if c.events.ended() {
			return
		}
	}
}

// introduced lets the application hear of the call. The owner runs from then on, also when the application broke: then the
// call ends with 500.
func (c *Call) introduced(listen func() func(Event)) (tell func(Event)) {
	defer c.start()
	defer func() {
		if broken := recover(); broken != nil {
			c.ua.log.Error("call broke who was told of it", "call", c.id, "panic", broken)
			tell = func(Event) {}
			c.post(c.broke)
		}
	}()
	return listen()
}

// say tells an event to an application that may break over it; the call ends then.
func (c *Call) say(tell func(Event), e Event) {
	defer func() {
		if broken := recover(); broken != nil {
			c.ua.log.Error("event broke who was told of it", "call", c.id, "panic", broken)
			c.post(c.broke)
		}
	}()
	if reached, ok := e.(caughtUp); ok {
		close(reached)
		return
	}
	tell(e)
}

// guarded runs a piece of the owner's work; a fault of ours ends this call and no other.
func (c *Call) guarded(f func()) {
	defer func() {
		if broken := recover(); broken != nil {
			c.ua.log.Error("call broke", "call", c.id, "panic", broken)
			c.broke()
		}
	}()
	f()
}

// broke ends a call over a fault of ours; the far side is told, as far as that still works.
func (c *Call) broke() {
	defer func() {
		if recover() != nil {
			c.phase = over
		}
	}()
	c.settle(Ended{Code: 500, Reason: "Server Internal Error"})
	switch c.phase {
	case ringing:
		_ = c.in.Answer(500, "Server Internal Error")
	case answering, talking:
		c.unacked = nil
		c.sendBye(nil, nil)
		return
	}
	c.phase = over
}
