package tray

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jfreymuth/pulse/proto"
)

// dummySink is what PulseAudio plays to where there is no device.
const dummySink = "auto_null"

// connect reaches the sound server of this login, if one may be listening; without a socket nothing is tried. hear is told what
// the server says, also of sinks that come and go.
func connect(hear func(any)) (*proto.Client, net.Conn, error) {
	if os.Getenv("PULSE_SERVER") == "" {
		if _, err := os.Stat(filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "pulse", "native")); err != nil {
			return nil, nil, errNoDevice
		}
	}
	server, conn, err := proto.Connect("")
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the sound server: %w", err)
	}
	server.Callback = hear
	name := proto.PropList{"application.name": proto.PropListString("Zaseki"), "media.role": proto.PropListString("phone")}
	err = server.Request(&proto.SetClientName{Props: name}, &proto.SetClientNameReply{})
	if err == nil {
		err = server.Request(&proto.Subscribe{Mask: proto.SubscriptionMaskSink}, nil)
	}
	if err != nil {
		_ = conn.Close()
		return nil, nil, fmt.Errorf("name ourselves to the sound server: %w", err)
	}
	return server, conn, nil
}

// choose is the sink to ring on: the first of the preferred descriptions that is there, else the system's own. A server whose
// only sink is its dummy has no device.
func choose(server *proto.Client, on []string) (sink uint32, err error) {
	all, err := sinks(server)
	if err != nil {
		return 0, err
	}
	for _, name := range on {
		if i := slices.IndexFunc(all, func(s *proto.GetSinkInfoReply) bool { return s.Device == name }); i >= 0 {
			return all[i].SinkIndex, nil
		}
	}
	var own proto.GetSinkInfoReply
	if err := server.Request(&proto.GetSinkInfo{SinkIndex: proto.Undefined, SinkName: "@DEFAULT_SINK@"}, &own); err != nil {
		return 0, fmt.Errorf("default sink: %w", err)
	}
	if own.SinkName == dummySink {
		return 0, errNoDevice
	}
	return own.SinkIndex, nil
}

// sinks are the devices of the server.
func sinks(server *proto.Client) (proto.GetSinkInfoListReply, error) {
	var all proto.GetSinkInfoListReply
	if err := server.Request(&proto.GetSinkInfoList{}, &all); err != nil {
		return nil, fmt.Errorf("list sinks: %w", err)
	}
	return slices.DeleteFunc(all, func(s *proto.GetSinkInfoReply) bool { return s.SinkName == dummySink }), nil
}

// serverWait is between two looks for a sound server that is not there.
const serverWait = 10 * time.Second

// watchRings tells what can be rung on, by the descriptions that browsers show too, until ctx ends.
func watchRings(ctx context.Context, tell func([]string)) {
	for ctx.Err() == nil {
		if err := listRings(ctx, tell); !errors.Is(err, errNoDevice) && ctx.Err() == nil {
			tell(nil)
		}
		select {
		case <-ctx.Done():
		case <-time.After(serverWait):
		}
	}
}

// listRings does so while one server lives.
func listRings(ctx context.Context, tell func([]string)) error {
	changed, lost := make(chan struct{}, 1), make(chan struct{}, 1)
	server, conn, err := connect(func(msg any) {
		switch msg.(type) {
		case *proto.SubscribeEvent:
			knock(changed)
		case *proto.ConnectionClosed:
			knock(lost)
		}
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	var told []string
	for first := true; ; first = false {
		all, err := sinks(server)
		if err != nil {
			return err
		}
		names := make([]string, len(all))
		for i, s := range all {
			names[i] = s.Device
		}
		if first || !slices.Equal(names, told) {
			tell(names)
			told = names
		}
		select {
		case <-ctx.Done():
			return nil
		case <-lost:
			return errors.New("the sound server closed the connection")
		case <-changed:
		}
	}
}
