package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// realPhone starts somebody else's phone, registered as that user, which answers by itself.
type realPhone func(ctx context.Context, dir string, k *kamailio, user string) (*process, error)

const baresipHost = "127.0.6.11"

func startBaresip(ctx context.Context, dir string, k *kamailio, user string) (*process, error) {
	program, err := tool("baresip")
	if err != nil {
		return nil, err
	}
	modules, _ := filepath.Glob("/usr/lib/*/baresip/modules")
	modules = append(modules, "/usr/lib/baresip/modules")
	if dir, err = os.MkdirTemp(dir, "baresip"); err != nil {
		return nil, err
	}
	if _, err := config(dir, "baresip.config", "@IP@", baresipHost, "@DIR@", dir, "@MODULES@", modules[0]); err != nil {
		return nil, err
	}
	if err := os.Rename(filepath.Join(dir, "baresip.config"), filepath.Join(dir, "config")); err != nil {
		return nil, err
	}
	account := fmt.Sprintf("<sip:%[1]s@%[2]s>;auth_user=%[1]s;auth_pass=pw-%[1]s;outbound=\"sip:%[3]s\";regint=120;answermode=auto\n", user, benchDomain, k.addr)
	for name, text := range map[string]string{"accounts": account, "contacts": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	p, err := launch(dir, nil, program, "-f", dir, "-v")
	if err != nil {
		return nil, err
	}
	return p, registers(ctx, p, k, user, "15060")
}

// registers ends a phone that does not.
func registers(ctx context.Context, p *process, k *kamailio, user, port string) error {
	err := k.knows(ctx, user, port)
	if err != nil {
		p.kill()
		return fmt.Errorf("%w\n%s", err, p.said())
	}
	return nil
}

func startLinphone(ctx context.Context, dir string, k *kamailio, user string) (*process, error) {
	program, err := tool("linphonec")
	if err != nil {
		return nil, err
	}
	if dir, err = os.MkdirTemp(dir, "linphone"); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, ".local/share/linphone"), 0o700); err != nil {
		return nil, err
	}
	rc, err := config(dir, "linphonerc", "@SERVER@", k.addr, "@USER@", user)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	commands, say, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer commands.Close()
	p, err := launch(dir, commands, program, "-a", "-c", rc)
	if err != nil {
		say.Close()
		return nil, err
	}
	end := p.end
	p.end = func() { end(); say.Close() }
	// It registers from 5060 at first.
	fmt.Fprintf(say, "soundcard use files\nports sip %s\n", port)
	return p, registers(ctx, p, k, user, port)
}

func freePort() (string, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_, port, err := net.SplitHostPort(conn.LocalAddr().String())
	return port, err
}
