package exchange

import (
	"sync"
	"testing"
	"time"
)

// TestTheHistoryOfWhatAPBXBrings: the first agent's phone rings and is not answered, the second one's talks; a queue that is closed.
func TestTheHistoryOfWhatAPBXBrings(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	phones := map[string][]PhoneCall{}
	says := func(account string, calls ...PhoneCall) {
		mu.Lock()
		defer mu.Unlock()
		phones[account] = calls
	}
	f := newFloor(t, func(c *Config) {
		stands(Outside{Askers: []Asker{{ID: "main", Accept: nets("127.0.8.2/32"), Domain: "pbx.test"}}})(c)
		c.PhoneCalls = func(account string) []PhoneCall {
			mu.Lock()
			defer mu.Unlock()
			return phones[account]
		}
	})
	f.available("1001", "1002")
	before := PhoneCall{ID: "before", Inbound: true, Began: time.Now().Add(-time.Minute), Answered: time.Now().Add(-time.Minute)}
	says("1001", before)
	pbx := f.rawFrom("127.0.8.2")
	pbx.question("7000")
	seen := func(account, result string, rang bool) func() bool {
		return func() bool {
			f.x.routes.mu.Lock()
			defer f.x.routes.mu.Unlock()
			for _, r := range f.x.routes.of {
				for _, o := range r.record.Offers {
					if o.Account == account && o.Result == result && (o.Receipt > 0) == rang {
						return true
					}
				}
			}
			return false
		}
	}
	says("1001", before, PhoneCall{ID: "p1", Inbound: true, Began: time.Now()})
	until(t, "the first one rings", seen("1001", "", true))
	says("1001", before)
	pbx.question("7000") // the same call again
	says("1002", PhoneCall{ID: "p2", Inbound: true, Began: time.Now()})
	until(t, "the second one rings", seen("1002", "", true))
	says("1002", PhoneCall{ID: "p2", Inbound: true, Began: time.Now(), Answered: time.Now()})
	until(t, "the second one talks", seen("1002", "answered", true))
	says("1002")
	r := f.record()
	if r.Result != "answered" || r.Code != 200 || r.Account != "1002" || r.Queue != "Support" || !r.Outside || r.Caller != "main" || r.Answered.IsZero() || r.Ended.Before(r.Answered) {
		t.Errorf("record %+v", r)
	}
	if len(r.Offers) != 2 || r.Offers[0].Account != "1001" || r.Offers[0].Result != "missed" || r.Offers[1].Result != "answered" {
		t.Errorf("offers %+v", r.Offers)
	}

	f.be(QueueState{Closed: "closed"})
	f.rawFrom("127.0.8.2").question("7000")
	if r := f.record(); r.Result != "missed" || r.Why != "closed" || r.Code != 480 || len(r.Offers) != 0 {
		t.Errorf("closed: %+v", r)
	}
	f.be(QueueState{})
	f.rawFrom("127.0.8.2").question("7000") // nobody is free, and it does not ask again
	f.x.routes.look(time.Now().Add(routesIdle + time.Second))
	if r := f.record(); r.Result != "missed" || r.Why != "" || r.Code != 480 {
		t.Errorf("nobody free: %+v", r)
	}
	f.available("1003")
	f.rawFrom("127.0.8.2").question("7000") // its phone never says a word
	f.x.routes.look(time.Now().Add(routesReach + time.Second))
	f.x.routes.look(time.Now().Add(routesReach + routesIdle + 2*time.Second))
	if r := f.record(); r.Result != "missed" || len(r.Offers) != 1 || r.Offers[0].Result != "unreached" {
		t.Errorf("not reached: %+v", r)
	}
}
