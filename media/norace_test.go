//go:build !race

package media

// poolForgets is zero without the race detector.
const poolForgets = 0
