package guard

import "testing"

func TestAQueryIsReadWholeOrNotAtAll(t *testing.T) {
	for raw, good := range map[string]bool{
		"": true, "q=a": true, "q=a&limit=3": true, "q=a%3Bb": true, "q=": true,
		"q=a;limit=3": false, "q=a&q=b": false, "order=x": false, "q=%zz": false,
	} {
		if _, err := Query(raw, "q", "limit"); (err == nil) != good {
			t.Errorf("%q: %v", raw, err)
		}
	}
	if q, err := Query("q=a%3Bb", "q"); err != nil || q.Get("q") != "a;b" {
		t.Errorf("%v %v", q, err)
	}
}
