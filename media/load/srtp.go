package load

import (
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

const (
	costPackets = 5000
	costPayload = 160 // octets: 20 ms of G.711
)

// profile is a suite by its name at IANA.
type profile struct {
	name      string
	id        srtp.ProtectionProfile
	key, salt int
}

func profiles() []profile {
	return []profile{
		{"AES_CM_128_HMAC_SHA1_80", srtp.ProtectionProfileAes128CmHmacSha1_80, 16, 14},
		{"AEAD_AES_128_GCM", srtp.ProtectionProfileAeadAes128Gcm, 16, 12},
		{"AEAD_AES_256_GCM", srtp.ProtectionProfileAeadAes256Gcm, 32, 12},
	}
}

// Suites are those whose cost is known, first the one that everybody has.
func Suites() (names []string) {
	for _, p := range profiles() {
		names = append(names, p.name)
	}
	return names
}

// SRTPCost is how many nanoseconds locking and unlocking one packet take, the way lines do it: in place, the header read into
// one that is used again.
func SRTPCost(suite string) (lock, unlock float64, err error) {
	at := slices.Index(Suites(), suite)
	if at < 0 {
		return 0, 0, fmt.Errorf("no suite %s", suite)
	}
	p := profiles()[at]
	key, salt := make([]byte, p.key), make([]byte, p.salt)
	out, err := srtp.CreateContext(key, salt, p.id)
	if err != nil {
		return 0, 0, err
	}
	in, err := srtp.CreateContext(key, salt, p.id, srtp.SRTPReplayProtection(128))
	if err != nil {
		return 0, 0, err
	}
	packets := make([][]byte, costPackets)
	for i := range packets {
		h := rtp.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: uint32(i) * costPayload, SSRC: 1}
		packets[i] = make([]byte, h.MarshalSize()+costPayload, h.MarshalSize()+costPayload+32)
		if _, err := h.MarshalTo(packets[i]); err != nil {
			return 0, 0, err
		}
	}
	var h rtp.Header
	began := time.Now()
	for i, b := range packets {
		if packets[i], err = out.EncryptRTP(b[:0], b, &h); err != nil {
			return 0, 0, err
		}
	}
	lock = each(began)
	began = time.Now()
	for _, b := range packets {
		if _, err = in.DecryptRTP(b[:0], b, &h); err != nil {
			return 0, 0, err
		}
	}
	return lock, each(began), nil
}

// SendCost is how many nanoseconds the system call takes that sends such a packet over loopback, to a port that nobody reads.
func SendCost() (float64, error) {
	here := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}
	sink, err := net.ListenUDP("udp4", here)
	if err != nil {
		return 0, err
	}
	defer sink.Close()
	conn, err := net.ListenUDP("udp4", here)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	to, b := sink.LocalAddr().(*net.UDPAddr).AddrPort(), make([]byte, 12+costPayload)
	began := time.Now()
	for range costPackets {
		if _, err := conn.WriteToUDPAddrPort(b, to); err != nil {
			return 0, err
		}
	}
	return each(began), nil
}

func each(began time.Time) float64 { return float64(time.Since(began).Nanoseconds()) / costPackets }
