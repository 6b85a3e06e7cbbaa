package admin_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"zaseki/web/wire"
)

// TestNobodyGetsMoreReportsThanTheirOwn, whatever the request says: an agent's phone reads its agent's days, a supervisor's page those of
// the own groups. The day of the fixture has alice, whom carol leads, and bob, whom she does not.
func TestNobodyGetsMoreReportsThanTheirOwn(t *testing.T) {
	data := t.TempDir()
	past(t, data)
	n := run(t, data)
	if err := n.Apply(t.Context(), setup()); err != nil {
		t.Fatal(err)
	}
	period := "from=2026-04-01T00:00:00Z&to=2026-04-03T00:00:00Z"
	lists := []string{"status-time", "activity", "calls", "missed", "queues", "agents", "outcomes"}

	phone := newClient(t, n, "", "") // without a cookie: what a phone has is its token
	said, _ := phone.want(200, "POST", "/api/v1/check", map[string]string{"account": "alice", "password": password, "version": "1"})
	var checked wire.Checked
	if err := json.Unmarshal([]byte(said), &checked); err != nil {
		t.Fatal(err)
	}
	res, err := phone.http.Post(phone.base+"/api/v1/signin", "application/json", strings.NewReader(`{"ticket":"`+checked.Ticket+`","terminal":"2001","status":"break","seat":"1","machine":"pc"}`))
	if err != nil {
		t.Fatal(err)
	}
	var welcome wire.Welcome
	if err := errors.Join(json.NewDecoder(res.Body).Decode(&welcome), res.Body.Close()); err != nil || welcome.Token == "" {
		t.Fatal(res.Status, err)
	}
	bearer := []string{"Authorization", "Bearer " + welcome.Token}

	said, _ = phone.want(200, "GET", "/api/v1/reports/mine/day?day=2026-04-01", nil, bearer...)
	var day wire.OwnDay
	if err := json.Unmarshal([]byte(said), &day); err != nil || day.SignedIn == 0 || day.Taken == 0 || day.Missed == nil || strings.Contains(said, "bob") {
		t.Errorf("the own day: %s %v", said, err)
	}
	for _, path := range []string{"day?day=2026-04-01&account=bob", "day?account=bob", "day?day=2026-04-01%26account%3Dbob", "day?day=2026-04-01&day=2026-04-02", "day?tz=Asia/Tokyo",
		"calls?account=bob", "activity?account=bob&" + period, "calls?" + period + "&cursor=" + url.QueryEscape("1 OR 1=1")} {
		if said, _ := phone.want(400, "GET", "/api/v1/reports/mine/"+path, nil, bearer...); strings.Contains(said, "offered") || strings.Contains(said, `"taken"`) {
			t.Errorf("%s: %s", path, said)
		}
	}
	for _, of := range []string{"calls", "activity", "day"} { // nobody's token, and none
		phone.want(401, "GET", "/api/v1/reports/mine/"+of, nil)
		phone.want(401, "GET", "/api/v1/reports/mine/"+of, nil, "Authorization", "Bearer bob")
	}
	for _, of := range append(lists, "mine/../agents") { // an agent's token opens no page of supervisors
		if code, said, _ := phone.do("GET", "/api/v1/reports/"+of+"?"+period, nil, bearer...); code != 401 && code != 403 || strings.Contains(said, "alice") || strings.Contains(said, "bob") {
			t.Errorf("%s with an agent's token: %d %.200s", of, code, said)
		}
	}
	if code, _, _ := phone.do("POST", api+"/session", map[string]string{"account": "alice", "password": password}); code/100 == 2 {
		t.Error("an agent signs in at the administration's pages")
	}

	carol := newClient(t, n, "carol", password)
	for _, of := range []string{"status-time", "activity", "agents"} {
		for _, sort := range []string{"", "&format=csv"} {
			said, _ := carol.want(200, "GET", "/api/v1/reports/"+of+"?"+period+sort, nil)
			if !strings.Contains(said, "alice") || strings.Contains(said, "bob") {
				t.Errorf("%s%s: %.300s", of, sort, said)
			}
			if said, _ := carol.want(200, "GET", "/api/v1/reports/"+of+"?account=bob&"+period+sort, nil); strings.Contains(said, "bob") || !strings.Contains(said, `"rows":[]`) && strings.Count(said, "\n") != 1 {
				t.Errorf("%s%s of another group: %.300s", of, sort, said)
			}
		}
		carol.want(400, "GET", "/api/v1/reports/"+of+"?account=alice&account=bob&"+period, nil)
		carol.want(400, "GET", "/api/v1/reports/"+of+"?group=help&"+period, nil)
	}
	for _, of := range []string{"calls", "activity", "day"} { // a page's cookie is no phone
		carol.want(401, "GET", "/api/v1/reports/mine/"+of, nil)
	}
	if said, _ := newClient(t, n, "boss", password).want(200, "GET", "/api/v1/reports/agents?"+period, nil); !strings.Contains(said, "alice") || !strings.Contains(said, "bob") {
		t.Errorf("an administrator: %.300s", said)
	}
}
