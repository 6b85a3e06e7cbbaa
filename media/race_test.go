//go:build race

package media

// poolForgets: under the race detector a sync.Pool throws away what it holds now and then, so that what is pooled is counted.
const poolForgets = 1
