package guard

import (
	"fmt"
	"net/url"
	"slices"
)

// Query reads the query of a request. What cannot be read, stands there twice or is none of the words is an error: a filter that is
// passed over shows other rows than were asked for (url.URL.Query leaves out what has a semicolon).
func Query(raw string, words ...string) (url.Values, error) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	for name, values := range q {
		if !slices.Contains(words, name) {
			return nil, fmt.Errorf("query: %q is none of %q", name, words)
		}
		if len(values) > 1 {
			return nil, fmt.Errorf("query: %s stands there %d times", name, len(values))
		}
	}
	return q, nil
}
