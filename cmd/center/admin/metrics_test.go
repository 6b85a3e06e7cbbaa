package admin_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	metricLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)$`)
)

// exposed is a page of figures: the values by name and labels, as Prometheus reads it.
type exposed struct {
	kind   map[string]string
	values map[string]float64
}

// parseMetrics reads the text format (version 0.0.4) strictly: HELP and TYPE once and before the lines of a name, these together, no line
// twice, buckets of a histogram in order and the last of them its count.
func parseMetrics(t *testing.T, text string) exposed {
	t.Helper()
	e := exposed{map[string]string{}, map[string]float64{}}
	helped, current := map[string]bool{}, ""
	if !strings.HasSuffix(text, "\n") {
		t.Error("the last line does not end")
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch words := strings.SplitN(line, " ", 4); {
		case strings.HasPrefix(line, "# HELP "):
			if len(words) < 4 || !metricName.MatchString(words[2]) || helped[words[2]] {
				t.Errorf("help: %s", line)
			}
			helped[words[2]], current = true, words[2]
		case strings.HasPrefix(line, "# TYPE "):
			if len(words) != 4 || words[2] != current || e.kind[current] != "" {
				t.Errorf("type: %s", line)
			}
			e.kind[current] = words[3]
		default:
			e.value(t, line, current)
		}
	}
	for name, kind := range e.kind {
		if kind == "counter" && !strings.HasSuffix(name, "_total") {
			t.Errorf("the counter %s does not end in _total", name)
		}
		if kind == "histogram" && e.values[name+`_bucket{le="+Inf"}`] != e.values[name+"_count"] {
			t.Errorf("%s: the last bucket is not the count", name)
		}
	}
	return e
}

func (e exposed) value(t *testing.T, line, current string) {
	t.Helper()
	m := metricLine.FindStringSubmatch(line)
	if m == nil {
		t.Errorf("no line of the format: %s", line)
		return
	}
	of := m[1]
	if e.kind[current] == "histogram" {
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			of = strings.TrimSuffix(of, part)
		}
	}
	v, err := strconv.ParseFloat(m[3], 64)
	key := strings.TrimSuffix(line, " "+m[3])
	if _, twice := e.values[key]; err != nil || twice || of != current {
		t.Errorf("%s (below %s): %v", line, current, err)
	}
	e.values[key] = v
}

func TestMetricsAreWhatPrometheusReads(t *testing.T) {
	n := start(t, false)
	c := newClient(t, n, "boss", password)
	c.want(201, "POST", api+"/terminals", `{"extension":"trunk1","type":"trunk","secret":"desk-secret-word","trunk":{"server":"127.0.0.1:1","transport":"tcp","user":"u","register":true}}`)
	for range 2 {
		c.want(401, "POST", "/api/v1/check", map[string]string{"account": "alice", "password": "not this one", "version": "1"})
	}
	said, _ := c.want(200, "POST", "/api/v1/check", map[string]string{"account": "alice", "password": password, "version": "1"})
	ticket := regexp.MustCompile(`"ticket":"([^"]+)"`).FindStringSubmatch(said)[1]
	res, err := c.http.Post(c.base+"/api/v1/signin", "application/json", strings.NewReader(`{"ticket":"`+ticket+`","terminal":"2001","status":"break","seat":"1","machine":"pc"}`))
	if err != nil || res.Body.Close() != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	var e exposed
	waitFor(t, "the trunk", func() bool {
		said, _ := c.want(200, "GET", "/metrics", nil)
		e = parseMetrics(t, said)
		_, there := e.values[`center_trunk_up{trunk="trunk1",state="failed"}`]
		return there || t.Failed()
	})
	for key, want := range map[string]float64{
		"center_accounts": 5, `center_agents{status="break"}`: 1, "center_phones": 0, "center_calls": 0, "center_registrations": 0, "center_agents_ready": 0,
		`center_queue_waiting{queue="7000"}`: 0, `center_queue_longest_wait_seconds{queue="7000"}`: 0, `center_signins_refused_total{problem="signin.refused"}`: 2,
		`center_trunk_up{trunk="trunk1",state="failed"}`: 0, `center_pbx_connected{pbx="old",kind="asterisk"}`: 0, "center_log_writable": 1, `center_seats{status="break"}`: 1,
	} {
		if got, ok := e.values[key]; !ok || got != want {
			t.Errorf("%s is %v (%v), not %v", key, got, ok, want)
		}
	}
	before := 0.0
	for _, le := range []string{"0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5", "+Inf"} {
		v, ok := e.values[`center_commit_seconds_bucket{le="`+le+`"}`]
		if !ok || v < before {
			t.Errorf("bucket %s: %v after %v", le, v, before)
		}
		before = v
	}
	if sum := e.values["center_commit_seconds_sum"]; before < 3 || sum <= 0 || math.IsNaN(sum) {
		t.Errorf("%v commits in %v s", before, sum)
	}
	for _, name := range []string{"alice", "Boss", "127.0.0.1"} {
		if said, _ := c.want(200, "GET", "/metrics", nil); strings.Contains(said, name) {
			t.Errorf("the figures name %s", name)
		}
	}
}
