//go:build race

package admin_test

// racing: the race detector makes everything many times slower, so nothing is measured.
const racing = true
