package roster

import (
	"time"
)

// What a phone kept while its center was away is told afterwards, with how long ago it was (PRODUCT G9). It is written down when it is
// told, and says when it was: reports place it there.

const (
	lateLeast = 3 * time.Second // a word that is so late was kept
	lateMost  = 24 * time.Hour  // no older one is believed
)

// told carries out a rule for something that was so many milliseconds ago: as if it were then, though not before what is known of the agent
// already.
func (d *draft) told(account string, late int64, rule func() error) error {
	ago := time.Duration(min(max(late, 0), lateMost.Milliseconds())) * time.Millisecond
	a := d.agents[account].v
	if ago < lateLeast || a.Session == nil {
		return rule()
	}
	now := d.now
	d.now = now.Add(-ago)
	for _, known := range []time.Time{a.Since, a.Idle, a.Told, a.Session.Began} {
		d.now = later(d.now, known)
	}
	then := d.now
	err := rule()
	d.now = now
	for _, c := range d.changes {
		if c.kind == KindAgent && c.id == account {
			c.value.(*Agent).Told = then
		}
	}
	return err
}
