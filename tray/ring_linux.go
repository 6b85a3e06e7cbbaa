package tray

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jfreymuth/pulse/proto"
)

// playTone repeats the tone on a sink of PulseAudio or of PipeWire in its place.
// The client's own stream type is not used: it blocks for ever on a sink that does not start, and panics when closed.
func playTone(ctx context.Context, t tone, on []string, heard func()) error {
	s := stream{wants: make(chan struct{}, 1), started: make(chan struct{}, 1), gone: make(chan struct{}, 1), lost: make(chan struct{}, 1),
		sinks: make(chan struct{}, 1), heard: sync.OnceFunc(heard)}
	server, conn, err := connect(s.hear)
	if err != nil {
		return err
	}
	defer conn.Close()
	for range movesMost {
		sink, err := choose(server, on)
		if err == nil {
			err = s.open(server, sink, t)
		}
		if err == nil {
			err = s.feed(ctx, server, t, func() bool { now, err := choose(server, on); return err == nil && now == sink })
		}
		if !errors.Is(err, errMoved) {
			return err
		}
	}
	return errMoved
}

// stream is one playback stream. hear runs on the connection's reader and never blocks.
type stream struct {
	index   atomic.Uint32
	owed    atomic.Int64 // bytes that the server asked for and did not get yet
	wants   chan struct{}
	started chan struct{}
	gone    chan struct{} // the stream is closed
	lost    chan struct{} // the server is
	sinks   chan struct{} // one came or went
	heard   func()
}

func (s *stream) hear(msg any) {
	switch m := msg.(type) {
	case *proto.Request:
		if m.StreamIndex == s.index.Load() {
			s.owed.Add(int64(m.Length))
			knock(s.wants)
		}
	case *proto.Started:
		knock(s.started)
	case *proto.PlaybackStreamKilled:
		if m.StreamIndex == s.index.Load() {
			knock(s.gone)
		}
	case *proto.SubscribeEvent:
		if m.Event.GetType() != proto.EventChange {
			knock(s.sinks)
		}
	case *proto.ConnectionClosed:
		knock(s.lost)
	}
}

func knock(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// open asks for a stream of a fifth of a second.
func (s *stream) open(server *proto.Client, sink uint32, t tone) error {
	s.owed.Store(0)
	var reply proto.CreatePlaybackStreamReply
	err := server.Request(&proto.CreatePlaybackStream{
		SampleSpec: proto.SampleSpec{Format: proto.FormatInt16LE, Channels: 1, Rate: uint32(t.rate)},
		ChannelMap: proto.ChannelMap{proto.ChannelMono}, SinkIndex: sink,
		BufferMaxLength: proto.Undefined, BufferTargetLength: uint32(2 * t.rate / 5),
		BufferPrebufferLength: proto.Undefined, BufferMinimumRequest: proto.Undefined,
		ChannelVolumes: proto.ChannelVolumes{0x10000}, AdjustLatency: true,
		Properties: proto.PropList{"media.name": proto.PropListString("ring")},
	}, &reply)
	if err != nil {
		return fmt.Errorf("playback stream: %w", err)
	}
	s.index.Store(reply.StreamIndex)
	s.owed.Add(int64(reply.Missing))
	knock(s.wants)
	return nil
}

// stallWait is how long a server may ask for nothing, of which it holds a fifth of a second: a dead one often says no word.
const stallWait = 2 * time.Second

// feed gives the server what it asks for until ctx ends, or until best says that there is a better sink by now.
func (s *stream) feed(ctx context.Context, server *proto.Client, t tone, best func() bool) error {
	period, index := t.bytes(), s.index.Load()
	end := func() { _ = server.Request(&proto.DeletePlaybackStream{StreamIndex: index}, nil) } // silence now, not after the buffer
	stall := time.NewTimer(stallWait)
	defer stall.Stop()
	for at := 0; ; {
		select {
		case <-ctx.Done():
			end()
			return nil
		case <-s.lost:
			return errors.New("the sound server closed the connection")
		case <-s.gone:
			return errMoved
		case <-s.sinks:
			if !best() {
				end()
				return errMoved
			}
		case <-s.started: // it starts anew after every gap
			s.heard()
		case <-stall.C:
			return errors.New("the sound server asks for no more sound")
		case <-s.wants:
			stall.Reset(stallWait)
			for owed := int(s.owed.Swap(0)); owed > 0; {
				part := period[at:min(at+owed, len(period))]
				if err := server.Send(index, part); err != nil {
					return fmt.Errorf("send to the sound server: %w", err)
				}
				owed -= len(part)
				at = (at + len(part)) % len(period)
			}
		}
	}
}
