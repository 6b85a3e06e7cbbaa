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
)

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
	told := false // that the connection is lost
	for try := 0; ctx.Err() == nil; try++ {
		conn, err := u.dial(ctx, s)
		switch {
		case err == nil:
			try, told = 0, false
			if over := u.talk(ctx, s, conn); over {
				return
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
		select {
		case <-ctx.Done():
		case <-time.After(pause(try)):
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
	ctx, cancel := context.WithTimeout(ctx, dialTime)
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

// talk is one connection's life; over says that the session has ended with it.
func (u *Uplink) talk(ctx context.Context, s *session, conn *socket.Conn) (over bool) {
	ctx, cancel := context.WithCancel(ctx)
	u.connected(true)
	u.tell(s, Online{})
	var writer sync.WaitGroup
	writer.Go(func() {
		defer cancel()
		u.write(ctx, conn)
	})
	over = u.read(ctx, s, conn)
	u.connected(false)
	cancel()
	writer.Wait()
	conn.Close(socket.Normal, "")
	return over
}

func (u *Uplink) connected(online bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.online, u.floor = online, nil
	for _, i := range u.queue {
		i.sent = false
	}
}

// read takes what the center says until the connection or the session ends.
func (u *Uplink) read(ctx context.Context, s *session, conn *socket.Conn) (over bool) {
	for {
		e, err := conn.Read(ctx)
		if err != nil {
			return false
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
				u.tell(s, State{m})
			}
		case wire.Floor:
			u.floorCame(m)
		case wire.Notice:
			u.tell(s, Notice{m})
		case wire.Revoked:
			if u.leave(s) {
				u.cfg.Tell(ending(m.Problem))
			}
			return true
		}
	}
}

func ending(p wire.Problem) Event {
	if p.Code == wire.ProblemExpired {
		return Expired{p}
	}
	return Revoked{p}
}
