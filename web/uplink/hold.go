package uplink

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"zaseki/web/socket"
	"zaseki/web/wire"
)

const subprotocol = "center.v1"

// How the websocket is kept: a dead one is noticed within ten seconds by either side.
const (
	pingEvery = 4 * time.Second
	silence   = 10 * time.Second
	dialTime  = 10 * time.Second
	turnTime  = 3 * time.Second // of a dial, when there are other nodes to ask
	steady    = time.Second     // a connection that ends sooner says that the center is in trouble
)

// crowdTime is over what time the phones of a center that was down come back: of those that wait no more than a fifth in any second.
const crowdTime = 8 * time.Second

// hold keeps a session's websocket until ctx or the session ends.
func (u *Uplink) hold(ctx context.Context, s *session) {
	var guard sync.WaitGroup
	defer guard.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	guard.Go(func() {
		select {
		case <-s.ended:
			cancel()
		case <-ctx.Done():
		}
	})
	defer u.home()
	told := false // that the connection is lost
	for try := 0; ctx.Err() == nil; try++ {
		conn, err := u.dial(ctx, s)
		down := isDown(err)
		switch {
		case err == nil:
			began := time.Now()
			told = false
			over, bye := u.talk(ctx, s, conn)
			if down = time.Since(began) < steady; !down {
				try = 0
			}
			if over {
				return
			}
			if bye != nil {
				if u.farewell(ctx, s, *bye) {
					return
				}
				continue
			}
		case unauthorized(err):
			over, back := u.comeBack(ctx, s)
			if over {
				return
			}
			if back {
				continue
			}
		}
		if ctx.Err() != nil {
			return
		}
		if !told {
			told = true
			u.tell(s, Offline{u.unreachable()})
		}
		u.log.Info("connection to the center is lost", "try", try, "err", err)
		if try > 0 { // it was not this phone's cable only
			u.turn()
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause(try, down, len(u.Nodes()))):
		}
	}
}

func unauthorized(err error) bool {
	var r *socket.Refused
	return errors.As(err, &r) && r.Status == http.StatusUnauthorized
}

func (u *Uplink) dial(ctx context.Context, s *session) (*socket.Conn, error) {
	addr, err := u.socketURL()
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	token := s.token
	u.mu.Unlock()
	limit := dialTime
	if len(u.Nodes()) > 1 {
		limit = turnTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	header := http.Header{"Authorization": {"Bearer " + token.Reveal()}}
	return socket.Dial(ctx, addr, header, socket.Options{
		Subprotocols: []string{subprotocol}, ReadLimit: maxAnswer, PingEvery: pingEvery, PongWait: silence, TLS: u.cfg.TLS,
	})
}

// comeBack resumes the session with its resume token. over says that the session has ended; back, that it goes on.
func (u *Uplink) comeBack(ctx context.Context, s *session) (over, back bool) {
	w, gone, err := u.takeUp(ctx, s)
	switch {
	case gone:
		if u.leave(s) {
			u.cfg.Tell(Expired{wire.Problem{Code: wire.ProblemExpired}})
		}
		return true, false
	case err == nil:
		u.tell(s, Welcomed{w})
	}
	return false, err == nil
}

// tell tells what happened in the session, unless it has ended meanwhile.
func (u *Uplink) tell(s *session, e Event) {
	u.mu.Lock()
	mine := u.session == s
	u.mu.Unlock()
	if mine {
		u.cfg.Tell(e)
	}
}

// talk is one connection's life; over says that the session has ended with it, bye what the center said at its end.
func (u *Uplink) talk(ctx context.Context, s *session, conn *socket.Conn) (over bool, bye *wire.Bye) {
	ctx, cancel := context.WithCancel(ctx)
	u.connected(true)
	u.tell(s, Online{})
	var writer sync.WaitGroup
	writer.Go(func() {
		defer cancel()
		u.write(ctx, conn)
	})
	over, bye = u.read(ctx, s, conn)
	u.connected(false)
	cancel()
	writer.Wait()
	conn.Close(socket.Normal, "")
	return over, bye
}

func (u *Uplink) connected(online bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.online, u.floor, u.asked, u.aged = online, nil, wire.WatchFloor{}, false
	for _, i := range u.queue {
		i.sent = false
	}
}

// read takes what the center says until the connection or the session ends.
func (u *Uplink) read(ctx context.Context, s *session, conn *socket.Conn) (over bool, bye *wire.Bye) {
	for {
		e, err := conn.Read(ctx)
		if err != nil {
			return false, bye
		}
		m, err := wire.ParseCenter(e)
		if err != nil {
			u.log.Warn("word of the center", "err", err)
			continue // a newer center may say more
		}
		switch m := m.(type) {
		case wire.Done:
			u.answered(e.Op, nil)
		case wire.Refused:
			u.answered(e.Op, m.Problem)
		case wire.AgentState:
			if m.Rev >= s.rev {
				s.rev = m.Rev
				u.sitsAt(m.Seat)
				u.tell(s, State{m})
			}
		case wire.Floor:
			u.floorCame(m)
		case wire.FloorChange:
			u.floorChanged(m)
		case wire.Notice:
			u.tell(s, Notice{m})
		case wire.PhonebookChanged:
			u.tell(s, BookChanged{m.Rev})
		case wire.Messages:
			mail := mailCame(s.mail, m)
			s.mail = &mail
			u.tell(s, Told{mail})
		case wire.Permit, wire.Attend, wire.CheckCall:
			u.tell(s, Told{m})
		case wire.AskSettings:
			u.tell(s, SettingsAsked{m.By})
		case wire.Revoked:
			if u.leave(s) {
				u.cfg.Tell(ending(m.Problem))
			}
			return true, nil
		case wire.Nodes:
			u.learn(m.URLs)
		case wire.Bye:
			bye = &m
		}
	}
}

func ending(p wire.Problem) Event {
	if p.Code == wire.ProblemExpired {
		return Expired{p}
	}
	return Revoked{p}
}
