package tray

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/jfreymuth/pulse/proto"
)

// playTone repeats the tone on the default sink of PulseAudio or of PipeWire in its place.
// The client's own stream type is not used: it blocks for ever on a sink that does not start, and panics when closed.
func playTone(ctx context.Context, t tone, heard func()) error {
	if !pulseThere() {
		return errNoDevice
	}
	server, conn, err := proto.Connect("")
	if err != nil {
		return fmt.Errorf("connect to the sound server: %w", err)
	}
	defer conn.Close()
	s := stream{wants: make(chan struct{}, 1), started: make(chan struct{}, 1), gone: make(chan struct{}, 1)}
	server.Callback = s.hear
	index, err := s.open(server, t)
	if err != nil {
		return err
	}
	return s.feed(ctx, server, index, t, heard)
}

// pulseThere says whether a sound server may be listening; without a socket nothing is tried.
func pulseThere() bool {
	if os.Getenv("PULSE_SERVER") != "" {
		return true
	}
	_, err := os.Stat(filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "pulse", "native"))
	return err == nil
}

// stream is one playback stream. hear runs on the connection's reader and never blocks.
type stream struct {
	owed    atomic.Int64 // bytes that the server asked for and did not get yet
	wants   chan struct{}
	started chan struct{}
	gone    chan struct{}
}

func (s *stream) hear(msg any) {
	switch m := msg.(type) {
	case *proto.Request:
		s.owed.Add(int64(m.Length))
		knock(s.wants)
	case *proto.Started:
		knock(s.started)
	case *proto.PlaybackStreamKilled, *proto.ConnectionClosed:
		knock(s.gone)
	}
}

func knock(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// open asks for a stream of a fifth of a second. A server whose only sink is its dummy has no device.
func (s *stream) open(server *proto.Client, t tone) (index uint32, err error) {
	name := proto.PropList{"application.name": proto.PropListString("Zaseki"), "media.role": proto.PropListString("phone")}
	if err := server.Request(&proto.SetClientName{Props: name}, &proto.SetClientNameReply{}); err != nil {
		return 0, fmt.Errorf("name ourselves to the sound server: %w", err)
	}
	var sink proto.GetSinkInfoReply
	if err := server.Request(&proto.GetSinkInfo{SinkIndex: proto.Undefined, SinkName: "@DEFAULT_SINK@"}, &sink); err != nil {
		return 0, fmt.Errorf("default sink: %w", err)
	}
	if sink.SinkName == "auto_null" {
		return 0, errNoDevice
	}
	var reply proto.CreatePlaybackStreamReply
	err = server.Request(&proto.CreatePlaybackStream{
		SampleSpec: proto.SampleSpec{Format: proto.FormatInt16LE, Channels: 1, Rate: uint32(t.rate)},
		ChannelMap: proto.ChannelMap{proto.ChannelMono}, SinkIndex: sink.SinkIndex,
		BufferMaxLength: proto.Undefined, BufferTargetLength: uint32(2 * t.rate / 5),
		BufferPrebufferLength: proto.Undefined, BufferMinimumRequest: proto.Undefined,
		ChannelVolumes: proto.ChannelVolumes{0x10000}, AdjustLatency: true,
		Properties: proto.PropList{"media.name": proto.PropListString("ring")},
	}, &reply)
	if err != nil {
		return 0, fmt.Errorf("playback stream: %w", err)
	}
	s.owed.Add(int64(reply.Missing))
	knock(s.wants)
	return reply.StreamIndex, nil
}

// stallWait is how long a server may ask for nothing, of which it holds a fifth of a second: a dead one often says no word.
const stallWait = 2 * time.Second

// feed gives the server what it asks for until ctx ends.
func (s *stream) feed(ctx context.Context, server *proto.Client, index uint32, t tone, heard func()) error {
	period := make([]byte, 2*len(t.samples))
	for i, v := range t.samples {
		binary.LittleEndian.PutUint16(period[2*i:], uint16(v))
	}
	stall := time.NewTimer(stallWait)
	defer stall.Stop()
	started := s.started
	for at := 0; ; {
		select {
		case <-ctx.Done():
			_ = server.Request(&proto.DeletePlaybackStream{StreamIndex: index}, nil) // silence now, not after the buffer
			return nil
		case <-s.gone:
			return errors.New("the sound server closed the stream")
		case <-started:
			started = nil // it starts anew after every gap
			heard()
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
