//go:build race

package media

const (
	// poolForgets: under the race detector a sync.Pool throws away what it holds now and then, so that what is pooled is counted.
	poolForgets = 1
	racing      = true
)
