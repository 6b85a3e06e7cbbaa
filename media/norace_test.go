//go:build !race

package media

const (
	poolForgets = 0 // without the race detector
	racing      = false
)
